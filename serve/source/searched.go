package source

import (
	"context"
	"math"
	"time"

	"upnext/serve/taste"
)

// Searched brings what answers the viewer's latest searches: who has looked for
// something and not yet found enough of it meets it on the next page.
type Searched struct{}

// Wanted is a search of the viewer's, and its vector; nil where there is none.
type Wanted struct {
	taste.Searched
	Vector []float32
}

const (
	searchLife     = 24 * time.Hour // after which a search is over
	searchHalfLife = 3 * time.Hour
	searchFusion   = 40 // k of the reciprocal rank fusion
)

// Lately returns the searches that are not over, the latest first.
func Lately(s *taste.State, now time.Time) []taste.Searched {
	for i, made := range s.Searches {
		if now.Sub(made.At) >= searchLife {
			return s.Searches[:i]
		}
	}
	return s.Searches
}

// Name is "searched".
func (Searched) Name() string { return "searched" }

// telling are the first of a list, as far as they are nearer to the best than to a
// floor: further down come those that share a common word, or nothing. It asks
// nothing of an encoder's scale.
func telling(list []Candidate, floor float64) []Candidate {
	for i, c := range list {
		if c.Score < (list[0].Score+floor)/2 {
			return list[:i]
		}
	}
	return list
}

// Recall fuses, for each search, what shares its words with what is near its
// meaning by reciprocal rank (Cormack et al., 2009): the best of a search made just
// now has the score 1. About is the search.
func (Searched) Recall(ctx context.Context, ask Ask, n int) ([]Candidate, error) {
	var all []Candidate
	for _, w := range ask.Wanted {
		scores, met := map[int32]float64{}, []Candidate{}
		add := func(list []Candidate) {
			for rank, c := range list {
				if _, ok := scores[c.Item.Ord]; !ok {
					met = append(met, Candidate{Item: c.Item, About: w.Query})
				}
				scores[c.Item.Ord] += 1 / float64(searchFusion+rank+1)
			}
		}
		var named []Candidate
		for _, m := range ask.Shelf.Find(w.Query, n, ask.Pass) {
			named = append(named, Candidate{Item: m.Item, Score: m.Score})
		}
		add(telling(named, 0))
		if ask.Index != nil && w.Vector != nil {
			near, err := ask.search(ctx, ask.depth(n), enough, w.Vector)
			if err != nil {
				return best(all, n), err
			}
			if found := near[0]; len(found) > 0 {
				add(telling(found[:min(n, len(found))], found[len(found)-1].Score))
			}
		}
		top := 0.0
		for _, score := range scores {
			top = max(top, score)
		}
		fade := math.Exp2(-float64(max(0, ask.Now.Sub(w.At))) / float64(searchHalfLife))
		for i := range met {
			met[i].Score = fade * scores[met[i].Item.Ord] / top
		}
		all = append(all, met...)
	}
	return best(all, n), nil
}
