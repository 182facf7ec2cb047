package source

import (
	"context"

	"upnext/serve/crowd"
)

// Trending brings what many viewers watch just now.
type Trending struct{}

// Name is "trending".
func (Trending) Name() string { return "trending" }

// Recall goes down the list; Score is the number of viewers, faded by time.
func (Trending) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	return ask.passing(n, func(yield func(crowd.Scored) bool) { ask.Crowd.Trending(ask.Now, yield) }), nil
}

// Popular brings what most viewers took to in the last months.
type Popular struct{}

// Name is "popular".
func (Popular) Name() string { return "popular" }

// Recall goes down the list; Score is relative to the most popular of all.
func (Popular) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	return ask.passing(n, ask.Crowd.Popular), nil
}

// passing takes the first n of a list that pass. The list is read to an end
// before the guard is asked, because its lock is held meanwhile.
func (a Ask) passing(n int, list func(yield func(crowd.Scored) bool)) []Candidate {
	reach := a.reach(n)
	var scored []crowd.Scored
	list(func(s crowd.Scored) bool {
		scored = append(scored, s)
		return len(scored) < reach
	})
	var found []Candidate
	for _, s := range scored {
		if len(found) == n {
			break
		}
		for _, it := range a.Shelf.ByOrd(nil, s.Item) {
			if a.Pass(it) {
				found = append(found, Candidate{Item: it, Score: s.Score})
			}
		}
	}
	return found
}
