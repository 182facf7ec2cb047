package blend

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"upnext"
	"upnext/learn"
	"upnext/learn/ranking"
	"upnext/learn/relevance"
	"upnext/learn/split"
)

// Grid is the weights that a part is tried with beside a first of weight 1.
// Scores of closed forms have far longer tails than a network's, so that little
// of them is much.
var Grid = []float64{0, .01, .02, .03, .04, .05, .06, .08, .1, .15, .2, .25, .3, .35, .4, .5, .6, .8, 1, 1.5, 2}

// rounds is how often each part's weight is looked for where there are more
// than two.
const rounds = 2

// Tune chooses the weights that give the greatest mean of measure over cases
// that no part was fitted on: the first part has 1, each other's is looked for in
// Grid in turn, the rest standing still (coordinate search). The smaller weight
// wins among equals. It returns that mean, too. A processor holds two rows of
// scores a part.
func Tune(ctx context.Context, parts []learn.Model, cases []split.Case, measure func(relevance.Ranking) float64, watch learn.Watch) (weights []float64, best float64, err error) {
	weights = make([]float64, len(parts))
	if len(parts) == 0 || len(cases) == 0 {
		return nil, 0, fmt.Errorf("weights of %d parts by %d cases: %w", len(parts), len(cases), upnext.ErrInvalid)
	}
	weights[0] = 1
	if _, err := New(parts, weights); err != nil {
		return nil, 0, err
	}
	sweeps := (len(parts) - 1) * rounds
	if len(parts) == 2 {
		sweeps = 1
	}
	for s := range max(1, sweeps) {
		at := 1 + s%max(1, len(parts)-1)
		if len(parts) == 1 {
			at = 0
		}
		means, err := sweep(ctx, parts, weights, at, cases, measure)
		if err != nil {
			return nil, 0, err
		}
		if at == 0 {
			return weights, means[slices.Index(Grid, 1)], nil
		}
		best = slices.Max(means)
		weights[at] = Grid[slices.Index(means, best)]
		watch.Tell(learn.Step{Phase: "weights", Done: s + 1, Total: sweeps, Metric: best})
	}
	return weights, best, nil
}

// sweep is the mean measure for each weight of the Grid in place of weights[at].
func sweep(ctx context.Context, parts []learn.Model, weights []float64, at int, cases []split.Case, measure func(relevance.Ranking) float64) ([]float64, error) {
	values := make([]float64, len(cases)*len(Grid)) // by case, so that their sum has one order
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(cases)) {
		wg.Go(func() {
			var rows [3][]float32 // of one part, of all but the one that changes, of that
			for i := range rows {
				rows[i] = make([]float32, parts[0].Items())
			}
			for {
				i := int(next.Add(1)) - 1
				if i >= len(cases) || ctx.Err() != nil {
					return
				}
				try(parts, weights, at, cases[i], rows, measure, values[i*len(Grid):(i+1)*len(Grid)])
			}
		})
	}
	wg.Wait()
	means := make([]float64, len(Grid))
	for i := range cases {
		for g := range Grid {
			means[g] += values[i*len(Grid)+g]
		}
	}
	for g := range means {
		means[g] /= float64(len(cases))
	}
	return means, ctx.Err()
}

// try sets values to the measures of one case for each weight of the Grid.
func try(parts []learn.Model, weights []float64, at int, c split.Case, rows [3][]float32, measure func(relevance.Ranking) float64, values []float64) {
	row, base, part := rows[0], rows[1], rows[2]
	clear(base)
	clear(part)
	told := false // by a part with a weight
	spoke := false
	for p, m := range parts {
		if p != at && weights[p] == 0 || !m.Score(c.History, row) {
			continue
		}
		standardise(row, c.History.Items)
		if p == at {
			copy(part, row)
			spoke = true
			continue
		}
		told = true
		for k, v := range row {
			base[k] += float32(weights[p]) * v
		}
	}
	for _, item := range slices.Concat(c.History.Items, c.Seen) {
		base[item] = float32(math.Inf(-1))
	}
	truth := slices.Clone(c.Targets)
	slices.Sort(truth)
	truth = slices.Compact(truth)
	for g, w := range Grid {
		r := relevance.Ranking{Candidates: len(base), Relevant: len(truth)}
		if told || spoke && w > 0 {
			for k, v := range part {
				row[k] = base[k] + float32(w)*v
			}
			r.Runs = ranking.Runs(row, truth)
		}
		values[g] = measure(r)
	}
}
