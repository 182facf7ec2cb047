package serve

import (
	"sync"

	"upnext/serve/shelf"
	"upnext/serve/source"
)

// candidate is an item on its way to the page.
type candidate struct {
	item     *shelf.Item
	vector   []float32 // nil where it has none
	origins  []origin
	features [features]float64
	score    float64
	chance   float64 // propensity of what was left to chance; 0 where nothing was

	about *shelf.Item // what the viewer took to that is most like it
	near  float64     // how much; 0 where nothing is
}

// origin says which source brought a candidate, and why.
type origin struct {
	source string
	rank   int     // in its list, from 1
	share  float64 // of the fusion that it gave
	score  float64 // the source's own
	from   *shelf.Item
	about  string // the search that led to it
}

// mixing is the room that gathering candidates takes, used again by later
// requests: it is most of what one would leave to the garbage collector.
type mixing struct {
	list    []*candidate
	room    []candidate // of which list is made
	origins []origin    // one each: few come from several sources
	ords    []int32     // of their items
	place   []int32     // by the item's number on the shelf: its place in room plus one
}

var mixings = sync.Pool{New: func() any { return new(mixing) }}

// newMixing returns room for candidates, to be released.
func newMixing(most int) *mixing {
	m := mixings.Get().(*mixing)
	if len(m.room) < most {
		m.room, m.origins = make([]candidate, most), make([]origin, most)
	}
	return m
}

// of returns the candidate of an item, a new one where it has none.
func (m *mixing) of(it *shelf.Item) *candidate {
	if n := int(it.Ord) + 1 - len(m.place); n > 0 {
		m.place = append(m.place, make([]int32, n)...)
	}
	if at := m.place[it.Ord]; at > 0 {
		return &m.room[at-1]
	}
	n := len(m.list)
	c := &m.room[n]
	c.item, c.origins = it, m.origins[n:n:n+1]
	m.list, m.ords = append(m.list, c), append(m.ords, it.Ord)
	m.place[it.Ord] = int32(n + 1)
	return c
}

// release gives the room to the next request: nobody may look at the candidates
// any more.
func (m *mixing) release() {
	if m == nil {
		return
	}
	for _, ord := range m.ords {
		m.place[ord] = 0
	}
	n := len(m.list)
	clear(m.room[:n])
	clear(m.origins[:n])
	clear(m.list)
	m.list, m.ords = m.list[:0], m.ords[:0]
	mixings.Put(m)
}

// fuse gathers the sources' lists into candidates, each item once, with the
// features that the sources give. While an item changes, sources bring it as it was
// and as it is: the number of its id tells that they mean the same.
func (r *Recommender) fuse(q *asked, found []recalled) []*candidate {
	most := 0
	for _, f := range found {
		most += len(f.candidates)
	}
	m := newMixing(most)
	q.mixed = m
	for _, f := range found {
		weight, ok := r.Settings.SourceShare[f.name]
		if !ok {
			weight = 1
		}
		for rank, c := range f.candidates {
			own := m.of(c.Item)
			place := float64(rank + 1)
			if f.level {
				place = float64(len(f.candidates))
			}
			share := weight / (r.Settings.FusionK + place)
			own.origins = append(own.origins, origin{f.name, rank + 1, share, c.Score, c.From, c.About})
			own.chance = 0 // others bring it for certain
			if len(own.origins) == 1 {
				own.chance = c.Chance
			}
			own.features[fFusion] += share
			own.claim(f.name, c, f.candidates[0].Score)
		}
	}
	best := 0.0
	for _, c := range m.list {
		best = max(best, c.features[fFusion])
	}
	for _, c := range m.list {
		for i := range c.origins {
			c.origins[i].share /= c.features[fFusion]
		}
		c.features[fFusion] /= best
	}
	return m.list
}

// claim keeps a source's own score as a feature.
func (c *candidate) claim(name string, of source.Candidate, best float64) {
	switch name {
	case "together":
		if best > 0 {
			c.features[fTogether] = of.Score / best
		}
	case "continue", "episode":
		c.features[fResume] = of.Score
	case "live":
		if best > 0 {
			c.features[fLive] = max(0, of.Score/best)
		}
	case "friends":
		c.features[fFriends] = of.Score / best // likes fade, and never to nothing
	case "searched":
		c.features[fSearched] = of.Score
	case "similar":
		c.features[fSimilar] = of.Score
	case "words":
		c.features[fWords] = of.Score
	case "meaning":
		c.features[fMeaning] = of.Score
	}
}
