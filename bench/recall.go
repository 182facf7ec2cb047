package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"upnext"
	"upnext/index"
)

const (
	recallAsked = 100 // vectors searched for
	recallAt    = 10
)

// Recall asks the index for the nearest items of vectors that lie between an
// item's and another's, and returns the share of the true ones that it finds:
// recall@10 against all inner products.
func (w *World) Recall(ctx context.Context, x index.Index) (float64, error) {
	asked := make([][]float32, min(recallAsked, w.Items))
	r := w.random(saltRecall, 0)
	for i := range asked {
		asked[i] = between(w.Vector(r.IntN(w.Items)), w.Vector(r.IntN(w.Items)))
	}
	found, err := x.Search(ctx, index.Query{Vectors: asked, K: recallAt})
	if err != nil {
		return 0, fmt.Errorf("recall: %w", err)
	}
	nearest := make([][]index.Hit, len(asked))
	for n := range w.Items {
		v, id := w.Vector(n), ID(n)
		for i, q := range asked {
			nearest[i] = keep(nearest[i], index.Hit{ID: id, Score: dot(q, v)})
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	same, all := 0, 0
	for i, list := range nearest {
		is := map[upnext.ItemID]bool{}
		for _, h := range list {
			is[h.ID] = true
		}
		for _, h := range found[i] {
			if is[h.ID] {
				same++
			}
		}
		all += len(list)
	}
	return float64(same) / float64(max(1, all)), nil
}

// keep puts a hit in its place among the best.
func keep(best []index.Hit, h index.Hit) []index.Hit {
	if len(best) == recallAt && h.Score <= best[recallAt-1].Score {
		return best
	}
	at, _ := slices.BinarySearchFunc(best, h, func(a, b index.Hit) int { return cmp.Compare(b.Score, a.Score) })
	best = slices.Insert(best, at, h)
	return best[:min(len(best), recallAt)]
}
