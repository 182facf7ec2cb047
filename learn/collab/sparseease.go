package collab

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"upnext"
	"upnext/learn"
	"upnext/learn/matrix"
)

// SparseEASE is EASE for catalogues whose square is too large: each item is
// regressed on its nearest others alone, B_Nj = (G_NN + λI)⁻¹·G_Nj with N the
// items of the highest cosine to j, exactly (SLIM with feature selection, Ning
// and Karypis, ICDM 2011, in the closed form of ridge regression). Time goes
// with items · Neighbours³, memory with items · Neighbours. With all items as
// neighbours it is EASE to the last digits.
type SparseEASE struct {
	Neighbours int     // of each item; 0 means 256
	Lambda     float64 // 0 means 100
	Decay      Decay   // of the acts that ask; the zero value means Tau 4, Floor .02
	Storage    Storage // Keep is of no use beside Neighbours
}

// Name implements learn.Fitter.
func (SparseEASE) Name() string { return sparseEASE }

func (e SparseEASE) withDefaults() SparseEASE {
	if e.Neighbours == 0 {
		e.Neighbours = 256
	}
	if e.Lambda == 0 {
		e.Lambda = 100
	}
	if e.Decay == (Decay{}) {
		e.Decay = recent
	}
	return e
}

// Fit implements learn.Fitter.
func (e SparseEASE) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	e = e.withDefaults()
	if err := log.Check(); err != nil {
		return nil, err
	}
	if !(e.Lambda > 0) || math.IsInf(e.Lambda, 0) || e.Neighbours < 1 || e.Neighbours > 8192 {
		return nil, fmt.Errorf("sparse-ease %+v: %w", e, upnext.ErrInvalid)
	}
	if err := e.Decay.check(); err != nil {
		return nil, err
	}
	watch.Tell(learn.Step{Phase: "pairs", Done: 0, Total: log.Items})
	taken := takes(log)
	near, err := e.likest(ctx, taken)
	if err != nil {
		return nil, fmt.Errorf("fit sparse-ease: %w", err)
	}
	viewers := taken.T()
	regressions := make([]*regression, matrix.Workers())
	for w := range regressions {
		regressions[w] = newRegression(taken.Rows())
	}
	const piece = 1024
	for from := 0; from < log.Items; from += piece {
		watch.Tell(learn.Step{Phase: "solve", Done: from, Total: log.Items})
		failed := atomic.Bool{}
		matrix.Each(min(piece, log.Items-from), func(i, worker int) {
			if ctx.Err() == nil && !regressions[worker].solve(viewers, near[from+i], float32(e.Lambda)) {
				failed.Store(true)
			}
		})
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("fit sparse-ease: %w", err)
		}
		if failed.Load() {
			return nil, fmt.Errorf("fit sparse-ease: λ %v is too small for the log: %w", e.Lambda, upnext.ErrInvalid)
		}
	}
	watch.Tell(learn.Step{Phase: "solve", Done: log.Items, Total: log.Items})
	return newLinear(sparseEASE, log.Items, []Decay{e.Decay}, turned(near, log.Items), e.Storage), nil
}

// likest is each item's neighbours, with how many viewers they share.
func (e SparseEASE) likest(ctx context.Context, taken matrix.Sparse) ([][]matrix.Pair, error) {
	n := degrees(taken)
	near := make([][]matrix.Pair, taken.Columns)
	err := matrix.GramRows(ctx, taken, func(a, _ int, row []matrix.Pair) {
		row = slices.DeleteFunc(row, func(p matrix.Pair) bool { return int(p.Column) == a })
		for i, p := range row {
			row[i].Value = float32(float64(p.Value) / math.Sqrt(n[p.Column]))
		}
		row = slices.Clone(nearest(row, e.Neighbours))
		for i, p := range row {
			row[i].Value = float32(math.Round(float64(p.Value) * math.Sqrt(n[p.Column])))
		}
		near[a] = row
	})
	return near, err
}

// regression solves one item after another in the same memory.
type regression struct {
	small *matrix.Small
	own   [][]int32 // of each viewer: which of the neighbours they took, by place; empty between items
	met   []int32   // viewers whose own is not
}

func newRegression(viewers int) *regression {
	return &regression{small: matrix.NewSmall(1), own: make([][]int32, viewers)}
}

// solve turns an item's counts with its neighbours into its weights on them.
func (r *regression) solve(viewers matrix.Sparse, near []matrix.Pair, lambda float32) bool {
	k := len(near)
	r.small.Resize(k)
	clear(r.small.A)
	for i, p := range near {
		r.small.B[i] = p.Value
		r.small.A[i*k+i] = lambda
		rows, _ := viewers.Row(int(p.Column))
		for _, v := range rows {
			if len(r.own[v]) == 0 {
				r.met = append(r.met, v)
			}
			r.own[v] = append(r.own[v], int32(i))
		}
	}
	// Places rise within a viewer: pairs fall into the upper triangle.
	for _, v := range r.met {
		for x, i := range r.own[v] {
			row := r.small.A[int(i)*k : int(i+1)*k]
			for _, j := range r.own[v][x:] {
				row[j]++
			}
		}
		r.own[v] = r.own[v][:0]
	}
	r.met = r.met[:0]
	if !r.small.Solve() {
		return false
	}
	for i := range near {
		near[i].Value = r.small.B[i]
	}
	return true
}
