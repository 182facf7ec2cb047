// Package learned asks the models of one bundle about a viewer.
package learned

import (
	"slices"
	"sync"
	"sync/atomic"

	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/learn/kernel"
	"upnext/learn/ranking"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// Scores are what a bundle's models say of every item to one viewer.
type Scores struct {
	bundle  *bundle.Bundle
	numbers *Numbers
	of      []float32 // by item number, newcomers behind; 0 is the mean, and what the viewer has met
	top     float32   // the greatest
}

// Asking is the question of one request to the models, put when it is needed.
type Asking struct {
	put   func() *Scores
	known atomic.Pointer[Scores]
}

// Place is where a viewer's reading lies between questions: Take removes it, so
// that one question at a time has it, and is nil where there is none.
type Place interface {
	Take() *bundle.Reading
	Give(*bundle.Reading)
}

// Ask prepares the question; b and state stay as they are, and numbers are b's.
// Models that read act by act go on from the reading at the place, which may be nil.
func Ask(b *bundle.Bundle, numbers *Numbers, state *taste.State, at Place) *Asking {
	a := &Asking{}
	a.put = sync.OnceValue(func() *Scores {
		s := score(b, numbers, state, at)
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
func Score(b *bundle.Bundle, state *taste.State) *Scores { return score(b, &Numbers{}, state, nil) }

func score(b *bundle.Bundle, numbers *Numbers, state *taste.State, at Place) *Scores {
	h := history(b, numbers, state)
	s := &Scores{bundle: b, numbers: numbers, of: make([]float32, len(b.Items)+len(b.Newcomers()))}
	if len(h.Items) == 0 || !scoreAll(b, h, s.of, at) {
		return nil
	}
	// The blend has a mean of 0 over what the viewer has not met; how high it
	// puts the rest is no measure.
	for _, n := range slices.Concat(h.Items, newcomersMet(b, state)) {
		s.of[n] = 0
	}
	s.top = max(0, kernel.Best().MaxRow(s.of))
	return s
}

func scoreAll(b *bundle.Bundle, h learn.History, scores []float32, at Place) bool {
	if at == nil {
		return b.ScoreAll(h, scores)
	}
	r := b.Read(at.Take(), h)
	if r == nil { // no model reads act by act
		return b.ScoreAll(h, scores)
	}
	defer at.Give(r)
	return r.ScoreAll(h, scores)
}

// history is what the viewer took to of the items that the models know.
func history(b *bundle.Bundle, numbers *Numbers, state *taste.State) (h learn.History) {
	for _, sig := range slices.Backward(state.Latest) { // the newest is first there
		if n, ok := numbers.of(b, sig.Item); ok {
			h.Items = append(h.Items, n)
			h.At = append(h.At, sig.At.Unix())
		}
	}
	return h
}

// Of is an item's score on a scale from 0, which the mean item has, to 1, the
// best one; 0 for an item that the models have never met and cannot place.
func (s *Scores) Of(it *shelf.Item) float64 {
	n, ok := s.number(it)
	if !ok || s.top == 0 {
		return 0
	}
	return float64(max(0, s.of[n]) / s.top)
}

// Top returns the n best items, best first, as they are on the shelf, nil for
// one that is not; equal scores by number. Newcomers are among them.
func (s *Scores) Top(on *shelf.Shelf, n int) []*shelf.Item {
	return s.numbers.onShelf(s.bundle, on, ranking.Best(s.of, n))
}
