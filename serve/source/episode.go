package source

import "context"

// Episode brings the next episode of each series that the viewer is at.
type Episode struct{}

// Name is "episode".
func (Episode) Name() string { return "episode" }

// Recall takes of each series, the latest watched first, the first episode
// after the one watched last that passes; From is that one. While an episode
// is begun it is for Continue: the next one waits.
func (Episode) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	var found []Candidate
	for _, w := range ask.Viewer.Series {
		if len(found) == n {
			break
		}
		if ask.Viewer.IsBegun(w.Last) {
			continue
		}
		for _, it := range ask.Shelf.After(w.Series, w.Last.Item.Episode) {
			if ask.Pass(it) {
				found = append(found, Candidate{Item: it, Score: 1 / float64(1+len(found)), From: w.Last})
				break
			}
		}
	}
	return found, nil
}
