package taste

import (
	"time"

	"upnext/serve/shelf"
)

// Visit is what a viewer's present session alone says of them: the short-term
// interest. What was done some minutes ago counts half.
type Visit struct {
	*State
	set Settings
}

// Bounds of what a visit is made of.
const (
	visitActs      = 100 // the latest ones
	visitInterests = 3
	visitItems     = 12
)

// VisitOf folds a session's acts, newest first, with the half-life of a visit;
// nil where there are none that speak for an item.
func VisitOf(acts []Act, sh *shelf.Shelf, set Settings) *Visit {
	if len(acts) == 0 {
		return nil
	}
	set.LongHalfLife, set.ShortHalfLife, set.History = set.VisitHalfLife, set.VisitHalfLife, visitActs
	set.Interests, set.InterestItems = visitInterests, visitItems
	s := Fold(acts, sh, set)
	if len(s.Positive) == 0 {
		return nil
	}
	return &Visit{s, set}
}

// Heads returns the signals that InterestsOf wants the vectors of.
func (v *Visit) Heads() []Signal { return v.State.Heads(v.set) }

// InterestsOf gathers the heads into interests, the weightiest first; v stays
// as it is. See State.Cluster.
func (v *Visit) InterestsOf(vectors [][]float32) []Interest {
	s := *v.State
	s.Cluster(vectors, v.set)
	return s.Interests
}

// VisitActs keeps of acts, newest first, those of a session: the latest ones,
// among the latest of all, so that a long history costs no more than a short one.
func VisitActs(session string, n int, act func(i int) *Act) []Act {
	var of []Act
	for i := range min(n, 10*visitActs) {
		if a := act(i); a.Session == session && len(of) < visitActs {
			of = append(of, *a)
		}
	}
	return of
}

// defaultVisit is the half-life of a visit's acts.
const defaultVisit = 10 * time.Minute
