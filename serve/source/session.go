package source

import (
	"context"
	"math"

	"upnext"
)

// Session searches near what the viewer took to in the present session: the
// short-term interest, which leads within minutes where a long history would
// need days.
type Session struct{}

// Name is "session".
func (Session) Name() string { return "session" }

// Recall searches near the visit's interests in one pass; From is the medoid.
func (Session) Recall(ctx context.Context, ask Ask, n int) ([]Candidate, error) {
	if ask.Index == nil || ask.Visit == nil {
		return nil, nil
	}
	heads := ask.Visit.Heads()
	ids := make([]upnext.ItemID, len(heads))
	for i, sig := range heads {
		ids[i] = sig.Item.Item.ID
	}
	vectors, err := ask.Index.Vectors(ctx, ids...)
	if err != nil {
		return nil, err
	}
	interests := ask.Visit.InterestsOf(vectors)
	if len(interests) == 0 {
		return nil, nil // what they took to is not in the index yet
	}
	queries := make([][]float32, len(interests))
	for i, in := range interests {
		queries[i] = in.Vector
	}
	found, err := ask.search(ctx, ask.depth(share(n, interests[0].Weight)), enough, queries...)
	if err != nil {
		return nil, err
	}
	var all []Candidate
	for i, list := range found {
		discount := 0.6 + 0.4*math.Sqrt(interests[i].Weight/interests[0].Weight)
		for _, c := range list[:min(len(list), share(n, interests[i].Weight))] {
			all = append(all, Candidate{Item: c.Item, Score: c.Score * discount, From: interests[i].Medoid})
		}
	}
	return best(all, n), nil
}
