package rule

import (
	"math"
	"sync"
	"time"

	"upnext/serve/shelf"
)

// Traffic keeps the guarantees of one tenant by what this process serves. Where
// several share the traffic each keeps a share of its own part, and with that
// of the whole; a number an hour is each process's own. A restart starts
// counting anew. It is safe for concurrent use.
type Traffic struct {
	set []Guarantee

	mu       sync.Mutex
	controls []control // by guarantee
}

// NewTraffic starts to keep guarantees; none is fine.
func NewTraffic(set []Guarantee) *Traffic {
	return &Traffic{set: set, controls: make([]control, len(set))}
}

// Idle reports whether there is nothing to keep.
func (t *Traffic) Idle() bool { return len(t.set) == 0 }

// Favour is what a guarantee asks for at the moment.
type Favour struct {
	Guarantee
	Odds float64 // by which the odds of a score are multiplied, from 1 to Most
}

// Favours returns what the guarantees that are not kept ask for.
func (t *Traffic) Favours(scenario string, now time.Time) []Favour {
	if t.Idle() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var favours []Favour
	for i, g := range t.set {
		if odds := t.odds(i); odds > 1 && g.Active(scenario, now) {
			favours = append(favours, Favour{g, odds})
		}
	}
	return favours
}

func (t *Traffic) odds(i int) float64 {
	most := t.set[i].Most
	if most == 0 {
		most = usualMost
	}
	return math.Pow(most, t.controls[i].push)
}

// Serve counts what an answer shows.
func (t *Traffic) Serve(scenario string, now time.Time, items []*shelf.Item) {
	if t.Idle() || len(items) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, g := range t.set {
		if !g.Active(scenario, now) {
			continue
		}
		hits := 0
		for _, it := range items {
			if g.Of(it) {
				hits++
			}
		}
		t.controls[i].count(g, hits, len(items), now)
	}
}

// Kept says how a guarantee is doing.
type Kept struct {
	Guarantee
	Rate float64 // of late: of the places served, or an hour
	Odds float64
}

// Kept returns how each guarantee is doing, in their order.
func (t *Traffic) Kept() []Kept {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Kept, len(t.set))
	for i, g := range t.set {
		c := &t.controls[i]
		list[i] = Kept{Guarantee: g, Odds: t.odds(i)}
		if c.over > 0 {
			list[i].Rate = c.hits / c.over
		}
		if g.PerHour > 0 {
			list[i].Rate *= 3600
		}
	}
	return list
}

// Raise multiplies the odds of a score; one of 1 or more stays.
func Raise(score, odds float64) float64 {
	if !(score > 0 && score < 1) {
		return score
	}
	return score * odds / (1 - score + score*odds)
}
