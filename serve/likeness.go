package serve

import (
	"context"
	"math"
	"slices"

	"upnext"
)

// likeness is how near candidates lie to what the viewer is drawn to and to what
// they dislike.
type likeness struct {
	near      [][]float32 // products by interest, then by disliked item; nil where there is no index
	discounts []float64   // by interest: a lesser one counts less
}

// likeness asks the index, for all candidates in one go: it multiplies where the
// vectors lie.
func (q *asked) likeness(ctx context.Context, list []*candidate, disliked [][]float32) likeness {
	var l likeness
	interests := q.viewer.state.Interests
	if q.ask.Index == nil || len(list) == 0 || len(interests)+len(disliked) == 0 {
		return l
	}
	queries := make([][]float32, 0, len(interests)+len(disliked))
	for _, in := range interests {
		queries = append(queries, in.Vector)
		l.discounts = append(l.discounts, 0.6+0.4*math.Sqrt(in.Weight/interests[0].Weight))
	}
	near, err := q.index.products(ctx, append(queries, disliked...), idsOf(list)...)
	if err != nil {
		q.degrade("vectors", err)
		return l
	}
	l.near = near
	return l
}

// taste is the likeness to the nearest interest, that of candidate i; 0 where it
// has no vector.
func (l likeness) taste(i int) (most float64) {
	if l.near == nil {
		return 0
	}
	for k, discount := range l.discounts {
		most = max(most, productOf(l.near[k][i])*discount)
	}
	return most
}

// disliked is the likeness to the nearest of the disliked items.
func (l likeness) disliked(i int) (most float64) {
	if l.near == nil {
		return 0
	}
	for _, products := range l.near[len(l.discounts):] {
		most = max(most, productOf(products[i]))
	}
	return most
}

// productOf is 0 for a product with what has no vector.
func productOf(product float32) float64 {
	if product != product {
		return 0
	}
	return float64(product)
}

func idsOf(list []*candidate) []upnext.ItemID {
	ids := make([]upnext.ItemID, len(list))
	for i, c := range list {
		ids[i] = c.item.Item.ID
	}
	return ids
}

// dislikedItems is how many of the most disliked items are kept away from.
const dislikedItems = 6

func (r *Recommender) dislikedVectors(ctx context.Context, q *asked) [][]float32 {
	signals := q.viewer.state.Negative
	signals = signals[:min(len(signals), dislikedItems)]
	if q.ask.Index == nil || len(signals) == 0 {
		return nil
	}
	ids := make([]upnext.ItemID, len(signals))
	for i, sig := range signals {
		ids[i] = sig.Item.Item.ID
	}
	vectors, err := q.ask.Index.Vectors(ctx, ids...)
	if err != nil {
		return nil // the candidates' vectors have failed too, and said so
	}
	return slices.DeleteFunc(slices.Clone(vectors), func(v []float32) bool { return v == nil })
}

// fetchVectors reads, in one go, the vectors of those candidates that are arranged
// by them, the first and whatever comes to the page from further behind, and of
// what the viewer knows. Traces look at all.
func (r *Recommender) fetchVectors(ctx context.Context, q *asked, ranked []*candidate) {
	if q.ask.Index == nil || len(ranked) == 0 {
		return
	}
	first := max(r.Settings.Rules.Diversity.Pool, 2*q.req.Count)
	var wanted []*candidate
	for i, c := range ranked {
		if i < first || q.trace != nil || c.chance > 0 || c.origins[0].source == "promoted" {
			wanted = append(wanted, c)
		}
	}
	ids := idsOf(wanted)
	for _, k := range q.known {
		ids = append(ids, k.Item.Item.ID)
	}
	var err error
	if q.copied, err = q.index.copyVectors(ctx, ids...); err != nil {
		if !q.isDegraded("vectors") {
			q.degrade("vectors", err)
		}
		return
	}
	for i, c := range wanted {
		c.vector = q.copied.vectors[i]
	}
	for i := range q.known {
		q.known[i].Vector = q.copied.vectors[len(wanted)+i]
	}
}
