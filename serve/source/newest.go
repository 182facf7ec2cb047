package source

import (
	"cmp"
	"context"
	"slices"

	"upnext/serve/shelf"
)

// Fresh brings what was published last. What has no date comes after, so that
// a catalogue that nobody has watched and nobody has dated has a page too.
type Fresh struct{}

// Name is "fresh".
func (Fresh) Name() string { return "fresh" }

// Recall goes down the shelf from the newest; Score falls with the place.
func (Fresh) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	items := ask.Shelf.Newest()
	var found []Candidate
	for i, it := range items[:min(len(items), ask.reach(n))] {
		if len(found) == n {
			break
		}
		if ask.Pass(it) {
			found = append(found, Candidate{Item: it, Score: 1 / float64(1+i)})
		}
	}
	return found, nil
}

// Followed brings the newest of the creators whom the viewer follows.
type Followed struct{}

// perFollowed is how many of one creator are brought.
const perFollowed = 10

// Name is "followed".
func (Followed) Name() string { return "followed" }

// Recall takes from each creator in turn, so that a busy one does not crowd
// out the others.
func (Followed) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	creators := make([]string, 0, len(ask.Viewer.Follows))
	for c := range ask.Viewer.Follows {
		creators = append(creators, c)
	}
	slices.SortFunc(creators, func(a, b string) int {
		return cmp.Or(cmp.Compare(ask.Viewer.ToCreator[b], ask.Viewer.ToCreator[a]), cmp.Compare(a, b))
	})
	rows := make([][]*shelf.Item, len(creators))
	for i, c := range creators {
		for _, it := range ask.Shelf.By(c) {
			if ask.Pass(it) && len(rows[i]) < perFollowed {
				rows[i] = append(rows[i], it)
			}
		}
	}
	var found []Candidate
	for turn := range perFollowed {
		for _, row := range rows {
			if turn < len(row) && len(found) < n {
				found = append(found, Candidate{Item: row[turn], Score: 1 / float64(1+len(found))})
			}
		}
	}
	return found, nil
}
