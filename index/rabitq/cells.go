package rabitq

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"upnext/learn/kernel/quantised"
)

// cells part the codes by where their vectors lie (an inverted file: k-means
// cells, each the list of its codes), so that a search reads those of the cells
// nearest to it and not all.
type cells struct {
	stride int
	rows   []byte    // the centres, as rows: see quantised.Row
	scales []float32 // of the centres
	lists  []cell
	places []place // by slot
}

// cell is the codes of one, without gaps.
type cell struct {
	segments []*segment
	count    int
}

// segmentSize is how many codes lie side by side: those of one word of a bit set.
const segmentSize = 64

// segment holds codes in blocks of eight: word w of code i is
// bits[(i/8*words+w)*8+i%8].
type segment struct {
	bits             []uint64
	scale, sum, bias [segmentSize]float32
	slots            [segmentSize]uint32
}

// place is where a slot's code lies: which of its cell's, counted from 1; 0 where
// it has none.
type place struct{ cell, number uint32 }

// cellsFor is how many cells so many entries are parted into: a power of two near
// twice the root, as reading a centre costs about as much as two codes.
func cellsFor(entries int) int {
	return 1 << max(0, int(math.Round(math.Log2(2*math.Sqrt(float64(entries))))))
}

const (
	sampledPerCell = 48 // vectors that the centres are found with
	kMeansRounds   = 6
)

// newCells finds centres by spherical k-means among a sample of s's vectors. The
// seed is fixed: the same collection has the same cells.
func newCells(s *state, slots []uint32) *cells {
	n := cellsFor(len(slots))
	c := &cells{stride: s.stride, lists: make([]cell, n), scales: make([]float32, (n+3)&^3), rows: make([]byte, (n+3)&^3*s.stride)}
	rng := rand.New(rand.NewPCG(uint64(len(slots)), 0xce115))
	sample := slices.Clone(slots)
	rng.Shuffle(len(sample), func(i, j int) { sample[i], sample[j] = sample[j], sample[i] })
	sample = sample[:min(len(sample), n*sampledPerCell)]
	for i := range n {
		c.setCentre(i, s.vector(sample[i%len(sample)])[:s.spec.Dim])
	}
	nearest, sums, counts := make([]uint32, len(sample)), make([]float32, n*s.stride), make([]int, n)
	for range kMeansRounds {
		c.assign(s, sample, nearest)
		clear(sums)
		clear(counts)
		for i, slot := range sample {
			sum := sums[int(nearest[i])*s.stride:][:s.stride]
			for j, x := range s.vector(slot) {
				sum[j] += x
			}
			counts[nearest[i]]++
		}
		for i := range n {
			centre := sums[i*s.stride:][:s.stride]
			if counts[i] == 0 {
				centre = s.vector(sample[rng.IntN(len(sample))])
			}
			c.setCentre(i, centre[:s.spec.Dim])
		}
	}
	return c
}

// setCentre takes the direction of v.
func (c *cells) setCentre(i int, v []float32) {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	c.scales[i] = quantised.Row(v, c.rows[i*c.stride:][:c.stride])
	if square > 0 {
		c.scales[i] /= float32(math.Sqrt(square))
	}
}

// assign finds the nearest cells of slots, on all processors.
func (c *cells) assign(s *state, slots, into []uint32) {
	share := len(slots)/runtime.GOMAXPROCS(0) + 1
	var working sync.WaitGroup
	for start := 0; start < len(slots); start += share {
		working.Go(func() {
			x := newAssigning(c)
			for i := start; i < min(start+share, len(slots)); i++ {
				into[i] = c.nearest(s.kernel, s.vector(slots[i])[:s.spec.Dim], x)
			}
		})
	}
	working.Wait()
}

// assigning is scratch of nearest.
type assigning struct {
	query    []int8
	products []int32
}

func newAssigning(c *cells) *assigning {
	return &assigning{make([]int8, c.stride), make([]int32, len(c.scales))}
}

// nearest is the cell whose centre is nearest to v.
func (c *cells) nearest(k kernel, v []float32, x *assigning) uint32 {
	_, bias := quantised.Query(v, x.query) // its scale is the same for all
	k.bytes.Scan(&x.query[0], &c.rows[0], len(c.scales), c.stride, &x.products[0])
	best, at := float32(lowest), 0
	for i := range c.lists {
		if score := float32(x.products[i]-bias) * c.scales[i]; score > best {
			best, at = score, i
		}
	}
	return uint32(at)
}

// rank puts the cells in the order of their nearness to a query into order, whose
// slots are cells.
func (c *cells) rank(k kernel, q *query, x *scratch) {
	x.products = sized(x.products, len(c.scales))
	k.bytes.Scan(&q.bytes[0], &c.rows[0], len(c.scales), c.stride, &x.products[0])
	x.order = x.order[:0]
	for i := range c.lists {
		if c.lists[i].count > 0 {
			x.order = append(x.order, scored{float32(x.products[i]-q.bias) * c.scales[i], uint32(i)})
		}
	}
}

// put stores a slot's code in a cell, wherever it was before.
func (c *cells) put(slot, into uint32, of *code) {
	for int(slot) >= len(c.places) {
		c.places = append(c.places, place{})
	}
	if p := c.places[slot]; p.number == 0 || p.cell != into {
		c.remove(slot)
		c.places[slot] = c.lists[into].take(slot, into, len(of.bits))
	}
	seg, i := c.at(c.places[slot])
	for w, word := range of.bits {
		seg.bits[(i/8*len(of.bits)+w)*8+i%8] = word
	}
	seg.scale[i], seg.sum[i], seg.bias[i] = of.scale, of.sum, of.bias
}

// take gives a slot the cell's next place.
func (l *cell) take(slot, into uint32, words int) place {
	if l.count == len(l.segments)*segmentSize {
		l.segments = append(l.segments, &segment{bits: make([]uint64, words*segmentSize)})
	}
	l.segments[l.count/segmentSize].slots[l.count%segmentSize] = slot
	l.count++
	return place{into, uint32(l.count)}
}

func (c *cells) at(p place) (seg *segment, i int) {
	i = int(p.number - 1)
	return c.lists[p.cell].segments[i/segmentSize], i % segmentSize
}

// remove drops a slot's code; the cell's last takes its place.
func (c *cells) remove(slot uint32) {
	if int(slot) >= len(c.places) || c.places[slot].number == 0 {
		return
	}
	p := c.places[slot]
	c.places[slot] = place{}
	l := &c.lists[p.cell]
	last, lastAt := c.at(place{p.cell, uint32(l.count)})
	if p.number != uint32(l.count) {
		seg, i := c.at(p)
		words := len(seg.bits) / segmentSize
		for w := range words {
			seg.bits[(i/8*words+w)*8+i%8] = last.bits[(lastAt/8*words+w)*8+lastAt%8]
		}
		seg.scale[i], seg.sum[i], seg.bias[i] = last.scale[lastAt], last.sum[lastAt], last.bias[lastAt]
		seg.slots[i] = last.slots[lastAt]
		c.places[seg.slots[i]] = p
	}
	l.count--
	if l.count%segmentSize == 0 {
		l.segments[len(l.segments)-1] = nil
		l.segments = l.segments[:len(l.segments)-1]
	}
}

// each calls do with every segment of a cell and how many codes it has.
func (l *cell) each(do func(seg *segment, n int)) {
	for i, seg := range l.segments {
		do(seg, min(segmentSize, l.count-i*segmentSize))
	}
}

// seek is how many entries of the nearest cells hold each neighbour of x's first
// query: those of its own cell and of all that are nearer to the query.
func (c *cells) seek(k kernel, x *scratch, neighbours []found) []int {
	c.rank(k, &x.queries[0], x)
	slices.SortFunc(x.order, nearerCell)
	upTo, seen := make([]int, len(c.lists)), 0
	for _, o := range x.order {
		seen += c.lists[o.slot].count
		upTo[o.slot] = seen
	}
	entries := make([]int, len(neighbours))
	for i, n := range neighbours {
		entries[i] = upTo[c.places[n.slot].cell]
	}
	return entries
}

// nearerCell orders by score, the nearest first, ties by number.
func nearerCell(a, b scored) int {
	switch {
	case a.score > b.score || a.score == b.score && a.slot < b.slot:
		return -1
	case a == b:
		return 0
	}
	return 1
}
