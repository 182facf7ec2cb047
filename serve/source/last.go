package source

import (
	"context"

	"upnext"
	"upnext/serve/taste"
)

// Last finds more like what the viewer took to last.
type Last struct{}

// lastItems is how many of the latest items are looked at.
const lastItems = 3

// Name is "last".
func (Last) Name() string { return "last" }

// Recall searches near the latest liked or watched items; From is the one.
func (Last) Recall(ctx context.Context, ask Ask, n int) ([]Candidate, error) {
	latest := ask.Viewer.Latest[:min(len(ask.Viewer.Latest), lastItems)]
	if ask.Index == nil || len(latest) == 0 {
		return nil, nil
	}
	ids := make([]upnext.ItemID, len(latest))
	for i, sig := range latest {
		ids[i] = sig.Item.Item.ID
	}
	vectors, err := ask.Index.Vectors(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var near [][]float32
	var of []taste.Signal
	for i, v := range vectors {
		if v != nil {
			near, of = append(near, v), append(of, latest[i])
		}
	}
	if len(near) == 0 {
		return nil, nil
	}
	found, err := ask.search(ctx, ask.depth(n/len(near)+1), enough, near...)
	if err != nil {
		return nil, err
	}
	var all []Candidate
	for i, list := range found {
		for _, c := range list {
			// The older ones fade a little, so that the very last leads.
			all = append(all, Candidate{Item: c.Item, Score: c.Score * (1 - 0.1*float64(i)), From: of[i].Item})
		}
	}
	return best(all, n), nil
}
