package crowd

import (
	"cmp"
	"math"
	"slices"
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
		c.pairs[item] = append(list, pair{other, float32(by)})
	default:
		list[least] = pair{other, list[least].weight + float32(by)}
	}
}

// Together is an item that was watched with one of some seeds.
type Together struct {
	Scored
	Seed int // position of the seed that speaks for it most
}

// Together scores the neighbours of seeds, each seed by its weight: the
// cosine of the two items' viewers, shrunk where few have seen both. The
// result is in no order; seeds may be in it.
func (c *Crowd) Together(seeds []Scored) []Together {
	c.mu.RLock()
	defer c.mu.RUnlock()
	shrink := c.set.Shrink * c.latest
	best := map[int32]*struct {
		Together
		most float64
	}{}
	for k, seed := range seeds {
		own := c.popular.of(seed.Item)
		for _, p := range c.pairs[seed.Item] {
			both := math.Min(float64(p.weight), math.Min(own, c.popular.of(p.item)))
			if both <= 0 {
				continue
			}
			s := seed.Score * both / (math.Sqrt(own*c.popular.of(p.item)) + shrink)
			b := best[p.item]
			if b == nil {
				b = &struct {
					Together
					most float64
				}{}
				b.Item = p.item
				best[p.item] = b
			}
			b.Score += s
			if s > b.most {
				b.most, b.Seed = s, k
			}
		}
	}
	found := make([]Together, 0, len(best))
	for _, b := range best {
		found = append(found, b.Together)
	}
	slices.SortFunc(found, func(a, b Together) int { return cmp.Compare(a.Item, b.Item) })
	return found
}
