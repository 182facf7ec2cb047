package crowd

import (
	"math"
	"slices"
	"sync"
)

// pair is a neighbour and how much the two have been watched together.
type pair struct {
	item   int32
	weight float32
}

// bump moves the count of one direction of a pair. Where an item has all the
// neighbours it may have, a new one takes the place and the count of the
// least (the space-saving sketch): what is truly frequent gets through, and
// the error is at most the least count.
func (c *Crowd) bump(item, other int32, by float64) {
	if n := int(item) + 1 - len(c.pairs); n > 0 {
		c.pairs = append(c.pairs, make([][]pair, n)...)
	}
	list := c.pairs[item]
	least := 0
	for i := range list {
		if list[i].item == other {
			list[i].weight = max(0, list[i].weight+float32(by))
			return
		}
		if list[i].weight < list[least].weight {
			least = i
		}
	}
	switch {
	case by <= 0:
	case len(list) < c.set.Neighbours:
		if len(list) == cap(list) { // by a quarter, and no further than it may ever grow: there are many lists
			list = append(make([]pair, 0, min(c.set.Neighbours, len(list)+len(list)/4+4)), list...)
		}
		c.pairs[item] = append(list, pair{other, float32(by)})
	default:
		list[least] = pair{other, list[least].weight + float32(by)}
	}
}

// Together is an item that was watched with one of some seeds.
type Together struct {
	Scored
	Seed int // position of the seed that speaks for it most
	most float64
}

// gathered is the room that one sum over neighbours needs, used again: found, and
// for each item, by number, its place in found plus one; 0 where it has none.
type gathered struct {
	found []Together
	place []int32
}

var gathering = sync.Pool{New: func() any { return new(gathered) }}

// at returns an item's sum.
func (g *gathered) at(item int32) *Together {
	if int(item) >= len(g.place) {
		g.place = append(g.place, make([]int32, int(item)+1-len(g.place))...)
	}
	if g.place[item] == 0 {
		g.found = append(g.found, Together{Scored: Scored{Item: item}})
		g.place[item] = int32(len(g.found))
	}
	return &g.found[g.place[item]-1]
}

// release clears the room for the next.
func (g *gathered) release() {
	for _, f := range g.found {
		g.place[f.Item] = 0
	}
	g.found = g.found[:0]
	gathering.Put(g)
}

// Together scores the neighbours of seeds, each seed by its weight: the
// cosine of the two items' viewers, shrunk where few have seen both. The
// result is in no order; seeds may be in it.
func (c *Crowd) Together(seeds []Scored) []Together {
	g := gathering.Get().(*gathered)
	defer g.release()
	c.gather(g, seeds)
	return slices.Clone(g.found)
}

func (c *Crowd) gather(g *gathered, seeds []Scored) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	shrink := c.set.Shrink * c.latest
	for k, seed := range seeds {
		own := c.popular.of(seed.Item)
		if int(seed.Item) >= len(c.pairs) {
			continue
		}
		for _, p := range c.pairs[seed.Item] {
			its := c.popular.of(p.item)
			both := min(float64(p.weight), own, its)
			if both <= 0 {
				continue
			}
			s := seed.Score * both / (math.Sqrt(own*its) + shrink)
			t := g.at(p.item)
			t.Score += s
			if s > t.most {
				t.most, t.Seed = s, k
			}
		}
	}
}
