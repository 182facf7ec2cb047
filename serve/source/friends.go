package source

import (
	"context"
	"slices"

	"upnext"
)

// Friends brings what the users whom the viewer follows said they like. What
// they merely watched stays their own.
type Friends struct{}

// mostFriends is how many of the followed users are asked about.
const mostFriends = 200

// Name is "friends".
func (Friends) Name() string { return "friends" }

// Recall counts for each item the friends who like it, faded by time.
func (Friends) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	if len(ask.Viewer.Friends) == 0 {
		return nil, nil
	}
	names := make([]string, 0, len(ask.Viewer.Friends))
	for f := range ask.Viewer.Friends {
		names = append(names, f)
	}
	slices.Sort(names)
	names = names[:min(len(names), mostFriends)]
	friends := make([]upnext.ViewerID, len(names))
	for i, f := range names {
		friends[i] = upnext.ViewerID{ID: f}
	}
	var all []Candidate
	for _, s := range ask.Crowd.Liked(ask.Now, friends...) {
		for _, it := range ask.Shelf.ByOrd(nil, s.Item) {
			if ask.Pass(it) {
				all = append(all, Candidate{Item: it, Score: s.Score})
			}
		}
	}
	return best(all, n), nil
}
