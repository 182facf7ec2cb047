package crowd

import (
	"io"

	"upnext"
	"upnext/serve/packed"
)

// Save writes the counts so that Load has them again; names are the ids of the
// items, by number. Requests and, between its parts, counts go on meanwhile: who
// wants them all as of one moment keeps Add and its like away.
func (c *Crowd) Save(to io.Writer, names []upnext.ItemID) error {
	w := packed.NewWriter(to)
	packed.Texts(w, names)
	items := len(names)
	c.saveCounts(w, items)
	c.saveTrend(w)
	c.saveRecents(w)
	c.savePairs(w, items)
	c.saveLikes(w)
	return w.Close()
}

func (c *Crowd) saveCounts(w *packed.Writer, items int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	packed.One(w, c.seed)
	packed.One(w, c.recent.clock)
	packed.One(w, c.latest)
	packed.List(w, c.popular.scores[:min(items, len(c.popular.scores))])
	packed.List(w, c.tries.shown[:min(items, len(c.tries.shown))])
	packed.List(w, c.tries.taken[:min(items, len(c.tries.taken))])
	packed.One(w, c.tries.allShown)
	packed.One(w, c.tries.allTaken)
}

func (c *Crowd) saveTrend(w *packed.Writer) {
	c.mu.RLock()
	n := len(c.trend.seen)
	viewers, seen, ats, weights := make([]uint64, 0, n), make([]int32, 0, n), make([]int64, 0, n), make([]float64, 0, n)
	in := make([]int32, 0, n)
	for v, e := range c.trend.seen {
		viewers, seen, ats, weights = append(viewers, v.viewer), append(seen, v.item), append(ats, e.at.UnixNano()), append(weights, e.weight)
		in = append(in, int32(e.segment))
	}
	var names []string
	for _, g := range c.trend.segments.list {
		names = append(names, g.name)
	}
	landmark := c.trend.landmark
	c.mu.RUnlock()
	packed.One(w, landmark.UnixNano())
	packed.List(w, viewers)
	packed.List(w, seen)
	packed.List(w, ats)
	packed.List(w, weights)
	packed.Texts(w, names)
	packed.List(w, in)
}

func (c *Crowd) saveRecents(w *packed.Writer) {
	c.mu.RLock()
	var viewers, used []uint64
	var counts, items []int32
	var units []float32
	for v, r := range c.recent.of {
		viewers, used, counts = append(viewers, v), append(used, r.used), append(counts, int32(len(r.items)))
		for _, k := range r.items {
			items, units = append(items, k.item), append(units, k.unit)
		}
	}
	c.mu.RUnlock()
	packed.List(w, viewers)
	packed.List(w, used)
	packed.List(w, counts)
	packed.List(w, items)
	packed.List(w, units)
}

// savedAtOnce is how many items' pairs are copied under one lock.
const savedAtOnce = 2048

func (c *Crowd) savePairs(w *packed.Writer, items int) {
	for from := 0; from < items; from += savedAtOnce {
		n := min(savedAtOnce, items-from)
		counts := make([]int32, n)
		var others []int32
		var weights []float32
		c.mu.RLock()
		for i := range n {
			if from+i >= len(c.pairs) {
				break
			}
			counts[i] = int32(len(c.pairs[from+i]))
			for _, p := range c.pairs[from+i] {
				others, weights = append(others, p.item), append(weights, p.weight)
			}
		}
		c.mu.RUnlock()
		packed.List(w, counts)
		packed.List(w, others)
		packed.List(w, weights)
	}
}

func (c *Crowd) saveLikes(w *packed.Writer) {
	c.mu.RLock()
	viewers := c.likes.of.Keys() // the idlest first
	counts := make([]int32, len(viewers))
	var items, hours []int32
	for i, v := range viewers {
		own, _ := c.likes.of.Peek(v)
		counts[i] = int32(len(own))
		for _, l := range own {
			items, hours = append(items, l.item), append(hours, l.hour)
		}
	}
	c.mu.RUnlock()
	packed.List(w, viewers)
	packed.List(w, counts)
	packed.List(w, items)
	packed.List(w, hours)
}
