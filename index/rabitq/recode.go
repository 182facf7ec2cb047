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
	sampleRecall  = 0.996 // of their neighbours are found: more than is promised, as a sample errs
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
	fresh := newCodes(s.spec.Dim, s.mean()).grow(s.room)
	fresh.madeFor = s.live
	s.encodeAll(fresh)
	fresh.depth = s.calibrate(fresh)
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

// encodeAll makes every live slot's code, on all processors.
func (s *state) encodeAll(c *codes) {
	slots := s.alive.slots(nil)
	share := len(slots)/runtime.GOMAXPROCS(0) + 1
	var working sync.WaitGroup
	for part := range slices.Chunk(slots, share) {
		working.Go(func() {
			var made code
			turned := make([]float32, s.stride)
			for _, slot := range part {
				c.encode(s.vector(slot)[:s.spec.Dim], turned, &made)
				c.put(slot, &made)
			}
		})
	}
	working.Wait()
}

// calibrate asks for the neighbours of sampled vectors, and of midpoints of
// two of them, which lie where no vector is, and finds how deep in the order of
// the estimates the true neighbours are. The seed is fixed: the same collection
// has the same depth.
func (s *state) calibrate(c *codes) depth {
	rng := rand.New(rand.NewPCG(uint64(s.live), 0xca11b))
	slots := s.alive.slots(nil)
	x := &scratch{}
	estimates := make([]float32, s.room)
	mask := make([]byte, s.room/8)
	var tens, hundreds []int
	for i := range samples {
		v := slices.Clone(s.vector(slots[rng.IntN(len(slots))])[:s.spec.Dim])
		if i%2 == 1 {
			for j, y := range s.vector(slots[rng.IntN(len(slots))])[:s.spec.Dim] {
				v[j] = (v[j] + y) * 0.7
			}
		}
		x.prepare(s, [][]float32{v})
		q := &x.queries[0]
		q.best.reset(100, q.margin)
		s.scanRows(x, x.queries[:1], s.alive)
		neighbours := s.nearest(x, q, 100)
		if i%2 == 0 && len(neighbours) > 1 {
			neighbours = neighbours[1:] // itself, which is no feat to find
		}
		ranks := s.ranks(x, c, neighbours, estimates, mask)
		hundreds = append(hundreds, ranks...)
		tens = append(tens, ranks[:min(10, len(ranks))]...)
	}
	return depth{Ten: needed(tens, 10), Hundred: needed(hundreds, 100)}
}

// ranks are the places of the neighbours of x's first query in the order of
// the estimates.
func (s *state) ranks(x *scratch, c *codes, neighbours []found, estimates []float32, mask []byte) []int {
	q := &x.queries[0]
	q.planes = sized(q.planes, c.words*4)
	c.query(q.vector[:s.spec.Dim], x.turned, q.planes, &q.scan)
	scan := q.scan
	scan.codes, scan.blocks = &c.bits[0], (s.used+7)/8
	scan.scale, scan.sum, scan.bias = &c.scale[0], &c.sum[0], &c.bias[0]
	scan.out, scan.mask = &estimates[0], &mask[0]
	s.kernel.scanCodes(&scan)

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

// needed is the depth that holds the wanted share of the ranks.
func needed(ranks []int, k int) int {
	slices.Sort(ranks)
	at := min(int(float64(len(ranks))*sampleRecall), len(ranks)-1)
	return max(int(float64(ranks[at])*depthSlack), k+k/2+16, smallestDepth)
}
