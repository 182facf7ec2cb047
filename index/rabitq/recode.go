package rabitq

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// What calibration aims at and how.
const (
	samples       = 64    // queries
	sampleRecall  = 0.996 // of their neighbours are found at the greatest effort: more than is promised, as a sample errs
	depthSlack    = 1.25  // for the growth until the next time
	smallestDepth = 96
)

// recode makes the codes where a collection is large enough for them, and anew
// whenever as many entries were put as there were then, since their centre and
// depth are the collection's: so each entry is coded twice or so in its life.
// It reports whether it did. Readers go on with the old ones meanwhile.
func (s *state) recode(readers sync.Locker) bool {
	if s.live < s.limits.codes || s.codes != nil && s.codes.written < s.codes.madeFor {
		return false
	}
	slots := s.alive.slots(nil)
	fresh := newCodes(s.spec.Dim, s.mean(), newCells(s, slots))
	fresh.madeFor = s.live
	s.encodeAll(fresh, slots)
	s.calibrate(fresh)
	readers.Lock()
	s.codes = fresh
	readers.Unlock()
	return true
}

// mean is the centre of the live vectors.
func (s *state) mean() []float32 {
	sums := make([]float64, s.spec.Dim)
	for _, slot := range s.alive.slots(nil) {
		for i, x := range s.vector(slot)[:s.spec.Dim] {
			sums[i] += float64(x)
		}
	}
	centre := make([]float32, s.spec.Dim)
	for i, sum := range sums {
		centre[i] = float32(sum / float64(s.live))
	}
	return centre
}

// encodeAll makes the code of every live slot, on all processors.
func (s *state) encodeAll(c *codes, slots []uint32) {
	nearest := make([]uint32, len(slots))
	c.cells.assign(s, slots, nearest)
	for i, slot := range slots { // places first: codes can be put side by side then
		c.cells.put(slot, nearest[i], &code{bits: make([]uint64, c.words)})
	}
	share := len(slots)/runtime.GOMAXPROCS(0) + 1
	var working sync.WaitGroup
	for start := 0; start < len(slots); start += share {
		working.Go(func() {
			var made code
			turned := make([]float32, s.stride)
			for i := start; i < min(start+share, len(slots)); i++ {
				c.encode(s.vector(slots[i])[:s.spec.Dim], turned, &made)
				c.cells.put(slots[i], nearest[i], &made)
			}
		})
	}
	working.Wait()
}

// calibrate asks for the neighbours of sampled vectors, and of midpoints of
// two of them, which lie where no vector is, and finds how deep in the order of
// the estimates the true neighbours are, and in how many entries of the nearest
// cells. The seed is fixed: the same collection has the same efforts.
func (s *state) calibrate(c *codes) {
	rng := rand.New(rand.NewPCG(uint64(s.live), 0xca11b))
	slots := s.alive.slots(nil)
	x := &scratch{}
	estimates := make([]float32, s.room)
	var ranks, entries [2][]int // of the ten nearest, and of the hundred
	for i := range samples {
		v := slices.Clone(s.vector(slots[rng.IntN(len(slots))])[:s.spec.Dim])
		if i%2 == 1 {
			for j, y := range s.vector(slots[rng.IntN(len(slots))])[:s.spec.Dim] {
				v[j] = (v[j] + y) * 0.7
			}
		}
		x.prepare(s, [][]float32{v}, false)
		q := &x.queries[0]
		q.best.reset(100, q.margin)
		s.scanRows(x, x.queries[:1], s.alive)
		neighbours := s.nearest(x, q, 100)
		if i%2 == 0 && len(neighbours) > 1 {
			neighbours = neighbours[1:] // itself, which is no feat to find
		}
		for i, nearest := range [][]found{neighbours[:min(10, len(neighbours))], neighbours} {
			ranks[i] = append(ranks[i], s.ranks(x, c, nearest, estimates)...)
			entries[i] = append(entries[i], c.cells.seek(s.kernel, x, nearest)...)
		}
	}
	for i, recall := range recalls {
		share := 1 - (1-recall)/2 // as some are lost in either
		if i == len(recalls)-1 {
			share = sampleRecall
		}
		c.efforts[i] = effort{
			recall: recall,
			depth:  depth{Ten: needed(ranks[0], 10, share), Hundred: needed(ranks[1], 100, share)},
			reach:  depth{Ten: needed(entries[0], 10, share), Hundred: needed(entries[1], 100, share)},
		}
	}
}

// ranks are the places of the neighbours of x's first query in the order of
// the estimates.
func (s *state) ranks(x *scratch, c *codes, neighbours []found, estimates []float32) []int {
	q := &x.queries[0]
	q.planes = sized(q.planes, c.words*4)
	c.query(q.vector[:s.spec.Dim], x.turned, q.planes, &q.scan)
	for i := range c.cells.lists {
		c.cells.lists[i].each(func(seg *segment, n int) {
			seg.scan(s.kernel, &q.scan, x, lowest, n)
			for j, slot := range seg.slots[:n] {
				estimates[slot] = x.floats[j]
			}
		})
	}

	// Of all estimates only those above the worst neighbour's count; each is
	// sorted in among the neighbours, and the sums from the best on are ranks.
	order := make([]float32, len(neighbours))
	for i, n := range neighbours {
		order[i] = estimates[n.slot]
	}
	slices.Sort(order)
	atLeast := make([]int, len(order)+1) // by how many of order an estimate reaches
	x.ids = s.alive.slots(x.ids[:0])
	for _, slot := range x.ids {
		if e := estimates[slot]; e >= order[0] {
			reached, same := slices.BinarySearch(order, e)
			if same {
				for reached < len(order) && order[reached] == e {
					reached++
				}
			}
			atLeast[reached]++
		}
	}
	for i := len(order) - 1; i >= 0; i-- {
		atLeast[i] += atLeast[i+1]
	}
	ranks := make([]int, len(neighbours))
	for i, n := range neighbours {
		// Equal estimates are one another's rivals: the place behind them all.
		at, _ := slices.BinarySearch(order, estimates[n.slot])
		ranks[i] = atLeast[at+1]
	}
	return ranks
}

// needed is the depth that holds a share of the ranks.
func needed(ranks []int, k int, share float64) int {
	slices.Sort(ranks)
	at := min(int(float64(len(ranks))*share), len(ranks)-1)
	return max(int(float64(ranks[at])*depthSlack), k+k/2+16, smallestDepth)
}
