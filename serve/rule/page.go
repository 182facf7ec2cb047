package rule

import (
	"slices"
	"sync"

	"upnext"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// Ranked is a candidate in the order of its score.
type Ranked struct {
	Item   *shelf.Item
	Vector []float32 // unit length; nil where it has none
	Score  float64
}

// Page is how one page is arranged: the rules, and what they need to know of
// the request and its viewer.
type Page struct {
	Count     int
	Diversity Diversity // Cold is not looked at
	Creators  Cap
	Series    Cap
	Near      float64   // cosine from which two items are one; 0: equal content alone
	Seen      []Known   // what must not come again under another id
	Mix       taste.Mix // what the viewer is drawn to; nil: nothing is known
	Calibrate float64   // weight of the mix
	Pins      []Pin     // places that are taken; an earlier one has the place

	// Note is told what rules decided about candidates, by their positions. Nil:
	// nobody asks, and nothing is remembered for it.
	Note func(candidate int, d upnext.Decision)
}

// Arrange picks up to Count of ranked, which are in the order of their score,
// and returns their positions in the order of the page. Place by place it takes
// what is worth most there: score, difference to what stands already, nearness
// to the viewer's mix.
//
// What is promised: a pinned item stands in its place; of two that are one only
// the better is there, and none that is one of Seen; a place breaks a cap only
// where every candidate left would break it too. Ties go to the better score.
// Whatever a rule moved, dropped or pinned is told to Note.
func (p Page) Arrange(ranked []Ranked) []int {
	a := arrangers.Get().(*arranger)
	defer a.release()
	a.begin(p, ranked)
	for _, pin := range p.Pins {
		a.pin(pin)
	}
	for place := range a.order {
		if a.order[place] < 0 {
			if at := a.next(place); at >= 0 {
				a.put(place, at)
			}
		}
	}
	a.tell()
	order := make([]int, 0, len(a.order))
	for _, at := range a.order {
		if at >= 0 {
			order = append(order, at)
		}
	}
	return order
}

// What has become of a candidate.
const (
	waiting = iota
	taken
	dropped
)

// arranger is the work on one page; its buffers are used again.
type arranger struct {
	Page
	ranked []Ranked
	pool   int // the first so many are arranged; the rest only fills up
	low    float64
	span   float64 // of the pool's scores

	order  []int   // by place; -1 while it is empty
	state  []uint8 // by candidate: waiting, taken, dropped
	first  int     // no candidate before it waits
	makers counter
	series counter
	spread spread
	mix    mixture
	lost   []lost // by candidate, where somebody asks
}

var arrangers = sync.Pool{New: func() any { return new(arranger) }}

// release gives the buffers back, without what they point to.
func (a *arranger) release() {
	a.Page, a.ranked, a.spread.pool, a.mix.want = Page{}, nil, nil, nil
	clear(a.lost)
	arrangers.Put(a)
}

func (a *arranger) begin(p Page, ranked []Ranked) {
	a.Page, a.ranked, a.first = p, ranked, 0
	a.pool = min(len(ranked), max(p.Diversity.Pool, min(p.Count, mostSpread)))
	a.low, a.span = 0, 1
	if a.pool > 0 {
		a.low = ranked[a.pool-1].Score
		a.span = max(ranked[0].Score-a.low, 1e-12)
	}
	a.order = resized(a.order, min(p.Count, len(ranked)))
	for i := range a.order {
		a.order[i] = -1
	}
	a.state = resized(a.state, len(ranked))
	clear(a.state)
	if a.lost = a.lost[:0]; p.Note != nil {
		a.lost = resized(a.lost, len(ranked))
		clear(a.lost)
	}
	a.makers.begin(p.Creators, p.Count, len(ranked))
	a.series.begin(p.Series, p.Count, len(ranked))
	a.spread.begin(p.Diversity, ranked[:a.pool])
	a.mix.begin(p.Mix, p.Calibrate, ranked[:a.pool])
}

// resized is a slice of n elements of any value, in the old one's memory where
// it fits.
func resized[E any](old []E, n int) []E { return slices.Grow(old[:0], n)[:n] }

// next returns the candidate for a place; -1 where none is left.
func (a *arranger) next(place int) int {
	a.makers.look(place, a.makerOf, a.order)
	a.series.look(place, a.seriesOf, a.order)
	for {
		at := a.best()
		if at < 0 {
			if at = a.rest(); at < 0 {
				return -1
			}
		}
		if by, same := a.same(at); same {
			a.drop(at, by)
			continue
		}
		return at
	}
}

// best is the candidate of the pool that is worth most under the caps.
func (a *arranger) best() int {
	best, at := 0.0, -1
	for i := range a.pool {
		if a.state[i] != waiting || a.capped(i) != "" {
			continue
		}
		if v := a.worth(i); at < 0 || v > best {
			best, at = v, i
		}
	}
	if at >= 0 && a.Note != nil {
		a.note(at, best)
	}
	return at
}

// worth is what a candidate of the pool is worth in the next place.
func (a *arranger) worth(i int) float64 {
	dial := a.Diversity.Dial
	v := (1 - dial) * (a.ranked[i].Score - a.low) / a.span
	if dial > 0 {
		v += dial * a.spread.gain(i)
	}
	if a.mix.on {
		v = (1-a.Calibrate)*v - a.Calibrate*a.mix.divergence(i)
	}
	return v
}

// rest is the best candidate by score: under the caps where there is one, else
// any.
func (a *arranger) rest() int {
	for a.first < len(a.state) && a.state[a.first] != waiting {
		a.first++
	}
	for i := a.first; i < len(a.state); i++ {
		if a.state[i] == waiting && a.capped(i) == "" {
			if a.Note != nil {
				a.noteRest(i)
			}
			return i
		}
	}
	if a.first < len(a.state) {
		return a.first
	}
	return -1
}

// put takes a candidate to a place. Where a better one of the pool is the same
// and may stand there too, that one is put.
func (a *arranger) put(place, at int) {
	if a.spread.on || a.mix.on {
		for i := range min(at, a.pool) {
			if a.state[i] != waiting || a.capped(i) != "" || !a.one(i, at) {
				continue
			}
			// Likeness is not passed on: it may be one with what stands there already.
			if _, same := a.same(i); !same {
				a.drop(at, a.ranked[i].Item)
				at = i
				break
			}
		}
	}
	a.take(place, at)
}

func (a *arranger) take(place, at int) {
	a.order[place], a.state[at] = at, taken
	a.makers.count(a.makerOf(at))
	a.series.count(a.seriesOf(at))
	if at < a.pool {
		a.spread.add(at)
	}
	a.mix.add(a.ranked[at].Item)
}

func (a *arranger) drop(at int, by *shelf.Item) {
	a.state[at] = dropped
	if a.Note != nil {
		a.Note(at, upnext.Decision{Rule: "near_duplicate", Action: Dropped, Detail: "of " + string(by.Item.ID)})
	}
}

func (a *arranger) makerOf(i int) int32  { return a.makers.key(i, a.ranked[i].Item.Item.CreatorID) }
func (a *arranger) seriesOf(i int) int32 { return a.series.key(i, a.ranked[i].Item.Item.SeriesID) }

// capped names the cap that keeps a candidate from the place looked at.
func (a *arranger) capped(i int) string {
	switch {
	case a.makers.on && a.makers.full(a.makerOf(i)):
		return "creator_cap"
	case a.series.on && a.series.full(a.seriesOf(i)):
		return "series_cap"
	}
	return ""
}
