package source

import (
	"context"
	"math"
)

// Taste searches near all of the viewer's interests, in one pass. Each
// interest brings a share that grows with its weight.
type Taste struct{}

// Name is "taste".
func (Taste) Name() string { return "taste" }

// Recall finds what lies near an interest; From is the interest's medoid.
func (Taste) Recall(ctx context.Context, ask Ask, n int) ([]Candidate, error) {
	interests := ask.Viewer.Interests
	if ask.Index == nil || len(interests) == 0 {
		return nil, nil
	}
	vectors := make([][]float32, len(interests))
	for i, in := range interests {
		vectors[i] = in.Vector
	}
	found, err := ask.search(ctx, ask.depth(share(n, interests[0].Weight)), enough, vectors...)
	if err != nil {
		return nil, err
	}
	var all []Candidate
	for i, list := range found {
		in := interests[i]
		// A lesser interest counts less, but not in proportion: it would never be met.
		discount := 0.6 + 0.4*math.Sqrt(in.Weight/interests[0].Weight)
		for _, c := range list[:min(len(list), share(n, in.Weight))] {
			all = append(all, Candidate{Item: c.Item, Score: c.Score * discount, From: in.Medoid})
		}
	}
	return best(all, n), nil
}

// share is how many of n an interest of some weight brings; at least a few.
func share(n int, weight float64) int { return max(8, int(math.Ceil(weight*float64(n)))) }
