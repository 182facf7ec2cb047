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
	Dropout    float64 // share of a history that fitting hides, 0 … 0.9: regularises the popular more
	Even       float64 // viewers count length^-Even in fitting, 0 … 1
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
	if !(e.Lambda > 0) || math.IsInf(e.Lambda, 0) || !(e.Dropout >= 0 && e.Dropout <= .9) || !(e.Even >= 0 && e.Even <= 1) || e.Neighbours < 1 || e.Neighbours > 8192 {
		return nil, fmt.Errorf("sparse-ease %+v: %w", e, upnext.ErrInvalid)
	}
	if err := e.Decay.check(); err != nil {
		return nil, err
	}
	watch.Tell(learn.Step{Phase: "pairs", Done: 0, Total: log.Items})
	taken := takes(log)
	evened(taken, e.Even)
	near, err := e.likest(ctx, taken)
	if err != nil {
		return nil, fmt.Errorf("fit sparse-ease: %w", err)
	}
	viewers := taken.T()
	regressions := make([]*regression, matrix.Workers())
	for w := range regressions {
		regressions[w] = newRegression(taken.Rows(), float32(e.Lambda), denoised(e.Dropout))
	}
	const piece = 1024
	for from := 0; from < log.Items; from += piece {
		watch.Tell(learn.Step{Phase: "solve", Done: from, Total: log.Items})
		failed := atomic.Bool{}
		matrix.Each(min(piece, log.Items-from), func(i, worker int) {
			if ctx.Err() == nil && !regressions[worker].solve(viewers, near[from+i]) {
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

// likest is each item's neighbours, with how much they share.
func (e SparseEASE) likest(ctx context.Context, taken matrix.Sparse) ([][]matrix.Pair, error) {
	n := masses(taken)
	near := make([][]matrix.Pair, taken.Columns)
	// The cosine but for the item's own length, which does not change its order.
	err := matrix.GramRows(ctx, taken, func(a, _ int, row []matrix.Pair) {
		row = slices.DeleteFunc(row, func(p matrix.Pair) bool { return int(p.Column) == a })
		for i, p := range row {
			row[i].Value = float32(float64(p.Value) / math.Sqrt(n[p.Column]))
		}
		row = slices.Clone(nearest(row, e.Neighbours))
		for i, p := range row {
			row[i].Value = float32(float64(p.Value) * math.Sqrt(n[p.Column]))
		}
		near[a] = row
	})
	return near, err
}

// regression solves one item after another in the same memory.
type regression struct {
	lambda, denoise float32
	small           *matrix.Small
	own             [][]int32 // of each viewer: which of the neighbours they took, by place; empty between items
	counts          []float32 // of each viewer met: what a pair of theirs counts
	met             []int32   // viewers whose own is not empty
}

func newRegression(viewers int, lambda, denoise float32) *regression {
	return &regression{lambda: lambda, denoise: denoise, small: matrix.NewSmall(1), own: make([][]int32, viewers), counts: make([]float32, viewers)}
}

// solve turns an item's counts with its neighbours into its weights on them.
func (r *regression) solve(viewers matrix.Sparse, near []matrix.Pair) bool {
	k := len(near)
	r.small.Resize(k)
	clear(r.small.A)
	for i, p := range near {
		r.small.B[i] = p.Value
		rows, values := viewers.Row(int(p.Column))
		for x, v := range rows {
			if len(r.own[v]) == 0 {
				r.met = append(r.met, v)
				r.counts[v] = values[x] * values[x]
			}
			r.own[v] = append(r.own[v], int32(i))
		}
	}
	// Places rise within a viewer: pairs fall into the upper triangle.
	for _, v := range r.met {
		for x, i := range r.own[v] {
			row := r.small.A[int(i)*k : int(i+1)*k]
			for _, j := range r.own[v][x:] {
				row[j] += r.counts[v]
			}
		}
		r.own[v] = r.own[v][:0]
	}
	r.met = r.met[:0]
	for i := range k {
		r.small.A[i*k+i] += r.lambda + r.denoise*r.small.A[i*k+i]
	}
	if !r.small.Solve() {
		return false
	}
	for i := range near {
		near[i].Value = r.small.B[i]
	}
	return true
}
