package source

import "context"

// Continue brings what the viewer has begun and not finished. It is the one
// source for which a begun item does not count as seen.
type Continue struct{}

// Name is "continue".
func (Continue) Name() string { return "continue" }

// Recall lists them, the latest first. What is complete or was skipped is not
// among them; see taste.Begun.
func (Continue) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	var found []Candidate
	for _, b := range ask.Viewer.Begun {
		if len(found) == n {
			break
		}
		// What the shelf holds now may be another version of the item.
		if it := ask.Shelf.Item(b.Item.Item.ID); it != nil && ask.Resume(it) {
			found = append(found, Candidate{Item: it, Score: 1 / float64(1+len(found))})
		}
	}
	return found, nil
}
