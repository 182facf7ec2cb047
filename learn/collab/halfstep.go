package collab

import (
	"context"
	"fmt"

	"upnext"
	"upnext/learn/kernel"
	"upnext/learn/matrix"
)

// halfStep solves one side's factors given the other's.
type halfStep struct {
	alpha      float32
	regularise []float32 // a row
	d          int
	workers    []solver
}

// solver solves one row after another in the same memory; x is what the row was
// before.
type solver interface {
	solve(all []float32, lambda float32, fixed []float32, columns []int32, weights []float32, x []float32) bool
}

// newHalfStep solves exactly, or in so many steps of conjugate gradients.
func newHalfStep(alpha float64, regularise []float32, d, steps int) *halfStep {
	s := &halfStep{float32(alpha), regularise, d, make([]solver, matrix.Workers())}
	for w := range s.workers {
		if steps > 0 {
			s.workers[w] = newConjugate(d, steps)
		} else {
			s.workers[w] = newLeastSquares(d)
		}
	}
	return s
}

// solve sets out, rows × d, from fixed, columns × d: row r from those that
// taken's row r names.
func (s *halfStep) solve(ctx context.Context, taken matrix.Sparse, fixed, out []float32) error {
	all := matrix.Square(fixed, s.d)
	for i := range all {
		all[i] *= s.alpha
	}
	failed := make([]bool, taken.Rows())
	matrix.Each(taken.Rows(), func(r, worker int) {
		if ctx.Err() != nil {
			return
		}
		if columns, weights := taken.Row(r); len(columns) == 0 {
			clear(out[r*s.d : (r+1)*s.d])
		} else if !s.workers[worker].solve(all, s.regularise[r], fixed, columns, weights, out[r*s.d:(r+1)*s.d]) {
			failed[r] = true
		}
	})
	for r, bad := range failed {
		if bad {
			return fmt.Errorf("row %d has no solution, more regularisation gives one: %w", r, upnext.ErrInvalid)
		}
	}
	return ctx.Err()
}

// leastSquares solves one row after another in the same memory.
type leastSquares struct {
	d        int
	small    *matrix.Small
	gathered []float32 // rows of the fixed side, some at a time
}

const gatheredRows = 256

func newLeastSquares(d int) *leastSquares {
	return &leastSquares{d, matrix.NewSmall(d), make([]float32, gatheredRows*d)}
}

// solve sets x to (all + λI + Σ w·h hᵀ)⁻¹ Σ w·h over the columns' rows h of
// fixed, w being their weights.
func (l *leastSquares) solve(all []float32, lambda float32, fixed []float32, columns []int32, weights []float32, x []float32) bool {
	level, d := kernel.Best(), l.d
	copy(l.small.A, all)
	for i := range d {
		l.small.A[i*d+i] += lambda
	}
	clear(l.small.B)
	for from := 0; from < len(columns); from += gatheredRows {
		n := min(gatheredRows, len(columns)-from)
		for k := range n {
			h, g := fixed[int(columns[from+k])*d:][:d], l.gathered[k*d:][:d]
			w := weights[from+k]
			if level.Axpy(l.small.B, w, h); w == 1 {
				copy(g, h)
				continue
			}
			root := sqrt32(w)
			for i, v := range h {
				g[i] = root * v
			}
		}
		rows := kernel.Rows(l.gathered, d)
		const tall = 24 // whole tiles of every level; the lower triangle is not needed
		for i := 0; i < d; i += tall {
			level.Gemm(min(tall, d-i), d-i, n, rows.At(0, i).T(), rows.At(0, i), kernel.Rows(l.small.A[i*d+i:], d), true)
		}
	}
	ok := l.small.Solve()
	copy(x, l.small.B)
	return ok
}
