package source

import (
	"context"

	"upnext/serve/crowd"
	"upnext/serve/shelf"
)

// Trending brings what many viewers watch just now, those of the viewer's region
// above all.
type Trending struct{}

// Name is "trending".
func (Trending) Name() string { return "trending" }

// Recall goes down the list; Score is the number of viewers, faded by time.
func (Trending) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	return ask.passing(n, ask.Crowd.TrendingIn(ask.Now, ask.Region, ask.reach(n))), nil
}

// Popular brings what most viewers took to in the last months.
type Popular struct{}

// Name is "popular".
func (Popular) Name() string { return "popular" }

// Recall goes down the list; Score is relative to the most popular of all.
func (Popular) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	return ask.passing(n, ask.Crowd.Popular(ask.reach(n))), nil
}

// passing takes the first n of a list that pass.
func (a Ask) passing(n int, list []crowd.Scored) []Candidate {
	var found []Candidate
	var one [1]*shelf.Item
	for _, s := range list {
		if len(found) == n {
			break
		}
		for _, it := range a.Shelf.ByOrd(one[:0], s.Item) {
			if a.Pass(it) {
				found = append(found, Candidate{Item: it, Score: s.Score})
			}
		}
	}
	return found
}
