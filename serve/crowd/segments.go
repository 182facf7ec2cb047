package crowd

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// segments are the scores of a trend among parts of the viewers, such as those of a
// region. A part has few items in a window, so that a map an item is enough; its
// order is made when it is asked for. The lock is the crowd's.
type segments struct {
	number map[string]uint16 // from 1: 0 is nobody's
	list   []*segment        // by number less one
}

// mostSegments bounds them: names come from outside.
const mostSegments = 1000

type segment struct {
	name   string
	scores map[int32]float64 // as of the trend's landmark
	total  float64

	mu    sync.Mutex // of order, which readers make
	order []Scored   // best first; nil where it must be made anew
	made  time.Time
	stale bool
}

// Where a part has many items its order is made anew no more often than this.
const (
	manyTrending = 2000
	trendRest    = time.Second
)

// of is a segment's number; 0 for none, and for one too many.
func (s *segments) of(name string) uint16 {
	if name == "" {
		return 0
	}
	n, ok := s.number[name]
	if !ok && len(s.list) < mostSegments {
		if s.number == nil {
			s.number = map[string]uint16{}
		}
		s.list = append(s.list, &segment{name: name, scores: map[int32]float64{}})
		n = uint16(len(s.list))
		s.number[name] = n
	}
	return n
}

func (s *segments) add(number uint16, item int32, by float64) {
	if number == 0 {
		return
	}
	g := s.list[number-1]
	after := g.scores[item] + by
	if g.total = max(0, g.total+by); after <= tiny*max(g.scores[item], -by) {
		delete(g.scores, item)
	} else {
		g.scores[item] = after
	}
	if len(g.scores) == 0 {
		g.total = 0
	}
	g.stale = true
}

func (s *segments) multiply(by float64) {
	for _, g := range s.list {
		for item := range g.scores {
			g.scores[item] *= by
		}
		g.total *= by
		g.stale = true
	}
}

// first returns up to n of its best items. The crowd's lock is held for reading.
func (g *segment) first(n int, now time.Time) []Scored {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.order == nil || g.stale && (len(g.scores) < manyTrending || now.Sub(g.made).Abs() >= trendRest) {
		g.order = make([]Scored, 0, len(g.scores))
		for item, score := range g.scores {
			g.order = append(g.order, Scored{item, score})
		}
		slices.SortFunc(g.order, func(a, b Scored) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Item, b.Item)) })
		g.made, g.stale = now, false
	}
	return g.order[:min(n, len(g.order))]
}

// priorViewers is how many viewers of a segment weigh as much as all others do in
// saying what trends there: what one viewer watches is no trend yet.
const priorViewers = 20

// TrendingIn is Trending among the viewers of a segment: an item's share of their
// attention, drawn towards its share of everybody's as far as they are few (a
// Dirichlet prior), on everybody's scale. One that nobody is known of has the
// trend of all.
func (c *Crowd) TrendingIn(now time.Time, name string, n int) []Scored {
	defer c.current(now).RUnlock()
	scale := c.trend.scale(now, c.set)
	all := c.trend.rank.first(n, scale)
	number := c.trend.segments.number[name]
	if number == 0 {
		return all
	}
	g := c.trend.segments.list[number-1]
	total := c.trend.total * scale
	if g.total <= 0 || total <= 0 {
		return all
	}
	// What is best among either is best among both.
	met := make(map[int32]bool, 2*len(all))
	var list []Scored
	for _, part := range [][]Scored{all, g.first(n, now)} {
		for _, s := range part {
			if !met[s.Item] {
				met[s.Item] = true
				own, everybody := g.scores[s.Item]*scale, c.trend.rank.of(s.Item)*scale
				list = append(list, Scored{s.Item, total * (own + priorViewers*everybody/total) / (g.total*scale + priorViewers)})
			}
		}
	}
	slices.SortFunc(list, func(a, b Scored) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Item, b.Item)) })
	return list[:min(n, len(list))]
}
