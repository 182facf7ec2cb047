package source

import (
	"context"

	"upnext/serve/crowd"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// Together brings what others watched together with what the viewer took to,
// or with the items that similar ones are wanted for.
type Together struct{}

// togetherSeeds is how many of the viewer's items are looked at.
const togetherSeeds = 30

// Name is "together".
func (Together) Name() string { return "together" }

// Recall sums the counts over the seeds; From is the seed that says most.
func (Together) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	seeds := ask.Like
	var scored []crowd.Scored
	for _, it := range seeds {
		scored = append(scored, crowd.Scored{Item: it.Ord, Score: 1})
	}
	if len(seeds) == 0 {
		latest := ask.Viewer.Latest
		for _, sig := range latest[:min(len(latest), togetherSeeds)] {
			seeds = append(seeds, sig.Item)
			scored = append(scored, crowd.Scored{Item: sig.Item.Ord, Score: strength(sig)})
		}
	}
	if len(seeds) == 0 {
		return nil, nil
	}
	together := ask.Crowd.Together(scored)
	leads := make([]lead, len(together))
	for i, t := range together {
		leads[i] = lead{t.Item, int32(t.Seed), t.Score}
	}
	return ask.bestPassing(leads, n, func(seed int32) *shelf.Item { return seeds[seed] }), nil
}

// strength bounds a signal's weight, so that one item does not drown the rest.
func strength(sig taste.Signal) float64 { return min(1.5, 0.2+sig.Weight) }
