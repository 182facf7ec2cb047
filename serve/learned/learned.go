// Package learned asks the models of one bundle about a viewer.
package learned

import (
	"container/heap"
	"slices"
	"sync"
	"sync/atomic"

	"upnext"
	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/serve/taste"
)

// Scores are what a bundle's models say of every item to one viewer.
type Scores struct {
	bundle *bundle.Bundle
	of     []float32 // by item number; 0 is the mean, and what the viewer has met
	top    float32   // the greatest
}

// Asking is the question of one request to the models, put when it is needed.
type Asking struct {
	put   func() *Scores
	known atomic.Pointer[Scores]
}

// Ask prepares the question; b and state stay as they are.
func Ask(b *bundle.Bundle, state *taste.State) *Asking {
	a := &Asking{}
	a.put = sync.OnceValue(func() *Scores {
		s := Score(b, state)
		a.known.Store(s)
		return s
	})
	return a
}

// Scores asks the models, once; nil where they know nothing of the viewer.
func (a *Asking) Scores() *Scores { return a.put() }

// Known is what they have answered by now: nil where they were not asked, or
// are late. It never waits.
func (a *Asking) Known() *Scores { return a.known.Load() }

// Score asks the models what would follow what the viewer took to; nil where
// they know nothing of it.
func Score(b *bundle.Bundle, state *taste.State) *Scores {
	return score(b, history(b, state))
}

func score(b *bundle.Bundle, h learn.History) *Scores {
	s := &Scores{bundle: b, of: make([]float32, len(b.Items))}
	if len(h.Items) == 0 || !b.Score(h, s.of) {
		return nil
	}
	// The blend has a mean of 0 over what the viewer has not met; how high it
	// puts the rest is no measure.
	for _, n := range h.Items {
		s.of[n] = 0
	}
	for _, v := range s.of {
		s.top = max(s.top, v)
	}
	return s
}

// history is what the viewer took to of the items that the models know.
func history(b *bundle.Bundle, state *taste.State) (h learn.History) {
	for _, sig := range slices.Backward(state.Latest) { // the newest is first there
		if n, ok := b.Number(sig.Item.Item.ID); ok {
			h.Items = append(h.Items, n)
			h.At = append(h.At, sig.At.Unix())
		}
	}
	return h
}

// Of is an item's score on a scale from 0, which the mean item has, to 1, the
// best one; 0 for an item that the models have never met.
func (s *Scores) Of(id upnext.ItemID) float64 {
	n, ok := s.bundle.Number(id)
	if !ok || s.top == 0 {
		return 0
	}
	return float64(max(0, s.of[n]) / s.top)
}

// Top returns the n best items, best first; equal scores by number.
func (s *Scores) Top(n int) []upnext.ItemID {
	best := make(lowest, 0, min(n, len(s.of)))
	for i, v := range s.of {
		at := scored{v, int32(i)}
		switch {
		case len(best) < n:
			heap.Push(&best, at)
		case n > 0 && best[0].worse(at):
			best[0] = at
			heap.Fix(&best, 0)
		}
	}
	slices.SortFunc(best, func(a, b scored) int {
		if a.worse(b) {
			return 1
		}
		return -1
	})
	ids := make([]upnext.ItemID, len(best))
	for i, at := range best {
		ids[i] = s.bundle.Items[at.item]
	}
	return ids
}

type scored struct {
	score float32
	item  int32
}

func (a scored) worse(b scored) bool {
	return a.score < b.score || a.score == b.score && a.item > b.item
}

// lowest is a heap with the worst in front.
type lowest []scored

func (l lowest) Len() int           { return len(l) }
func (l lowest) Less(i, j int) bool { return l[i].worse(l[j]) }
func (l lowest) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lowest) Push(x any)        { *l = append(*l, x.(scored)) }
func (l *lowest) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}
