package collab

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"upnext"
	"upnext/learn"
	"upnext/learn/matrix"
)

// ItemItem scores an item by its likeness to those of the history: the cosine
// of who took to them, Σ_v w_v(a,b) / (√(n_a·n_b) + shrink), of which each item
// keeps its nearest (Sarwar et al., WWW 2001). Pairs that a viewer took to at
// distant times count less where times are known.
type ItemItem struct {
	Neighbours int           // each item's; 0 means 200
	Shrink     float64       // takes weight from likeness that few viewers vouch for; 0 means 20, below 0 none
	HalfLife   time.Duration // between two acts of a viewer until the pair counts half; 0: never
	Decay      Decay         // of the acts that ask; the zero value means Tau 4, Floor .02
	Storage    Storage       // Keep is of no use beside Neighbours
}

// Name implements learn.Fitter.
func (ItemItem) Name() string { return itemItem }

func (s ItemItem) withDefaults() ItemItem {
	if s.Neighbours == 0 {
		s.Neighbours = 200
	}
	switch {
	case s.Shrink == 0:
		s.Shrink = 20
	case s.Shrink < 0:
		s.Shrink = 0
	}
	if s.Decay == (Decay{}) {
		s.Decay = recent
	}
	return s
}

// Fit implements learn.Fitter.
func (s ItemItem) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	s = s.withDefaults()
	if err := log.Check(); err != nil {
		return nil, err
	}
	if s.Neighbours < 0 || math.IsNaN(s.Shrink) {
		return nil, fmt.Errorf("itemitem with %d neighbours, shrink %v: %w", s.Neighbours, s.Shrink, upnext.ErrInvalid)
	}
	if err := s.Decay.check(); err != nil {
		return nil, err
	}
	watch.Tell(learn.Step{Phase: "pairs", Done: 0, Total: 1})
	taken := takes(log)
	n := degrees(taken)
	likest := make([][]matrix.Pair, log.Items)
	err := s.pairs(ctx, log, taken, func(a, _ int, row []matrix.Pair) {
		row = slices.DeleteFunc(row, func(p matrix.Pair) bool { return int(p.Column) == a })
		for i, p := range row {
			row[i].Value = float32(float64(p.Value) / (math.Sqrt(n[a]*n[p.Column]) + s.Shrink))
		}
		likest[a] = slices.Clone(nearest(row, s.Neighbours))
	})
	if err != nil {
		return nil, fmt.Errorf("fit itemitem: %w", err)
	}
	watch.Tell(learn.Step{Phase: "pairs", Done: 1, Total: 1})
	return newLinear(itemItem, log.Items, []Decay{s.Decay}, turned(likest, log.Items), s.Storage), nil
}

// pairs calls do with each item's pairs and how much they count together.
func (s ItemItem) pairs(ctx context.Context, log learn.Log, taken matrix.Sparse, do func(a, worker int, row []matrix.Pair)) error {
	timed := slices.ContainsFunc(log.Viewers, func(h learn.History) bool { return h.At != nil })
	if s.HalfLife <= 0 || !timed {
		return matrix.GramRows(ctx, taken, do)
	}
	near := newNearness(log, taken, s.HalfLife)
	sums := make([][]float32, matrix.Workers())
	return matrix.GramRows(ctx, taken, func(a, worker int, row []matrix.Pair) {
		if sums[worker] == nil {
			sums[worker] = make([]float32, log.Items)
		}
		near.add(sums[worker], a)
		for i, p := range row {
			row[i].Value, sums[worker][p.Column] = sums[worker][p.Column], 0
		}
		do(a, worker, row)
	})
}

// nearness weighs the pairs of a viewer by the time between the two.
type nearness struct {
	taken, viewers matrix.Sparse
	at             []int64 // of taken.Column, each viewer's newest; 0 where unknown
	halfLife       float64 // seconds
}

func newNearness(log learn.Log, taken matrix.Sparse, halfLife time.Duration) nearness {
	n := nearness{taken, taken.T(), make([]int64, len(taken.Column)), halfLife.Seconds()}
	newest := make([]int64, log.Items)
	for v, h := range log.Viewers {
		for i, item := range h.Items {
			if h.At != nil {
				newest[item] = h.At[i]
			}
		}
		for k := taken.Start[v]; h.At != nil && k < taken.Start[v+1]; k++ {
			n.at[k] = newest[taken.Column[k]]
		}
	}
	return n
}

// add adds to sums what item a has together with every other.
func (n nearness) add(sums []float32, a int) {
	viewers, _ := n.viewers.Row(a)
	for _, v := range viewers {
		from, to := n.taken.Start[v], n.taken.Start[v+1]
		columns, at := n.taken.Column[from:to], n.at[from:to]
		own, _ := slices.BinarySearch(columns, int32(a))
		for k, c := range columns {
			apart := math.Abs(float64(at[k]) - float64(at[own]))
			sums[c] += float32(math.Exp2(-apart / n.halfLife))
		}
	}
}
