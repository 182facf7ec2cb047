package rabitq

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"upnext"
	"upnext/index"
	"upnext/learn/kernel/quantised"
)

// scratch is what one search needs and the next one uses again.
type scratch struct {
	queries []query
	sets    []bitset
	ids     []uint32
	ints    []int32
	floats  []float32
	turned  []float32
	mask    [segmentSize / 8]byte
	found   []found

	products []int32  // with centres of cells
	order    []scored // of cells
}

const rowsAtOnce = 512 // rows that several queries share while they are in the cache

// query is one vector of a search.
type query struct {
	vector []float32 // padded
	bytes  []int8
	scale  float32
	bias   int32
	margin float32 // 0: the products of bytes are good enough
	planes []uint64
	scan   codeScan
	best   top
}

// found is a slot with its exact score.
type found struct {
	score float32
	slot  uint32
}

// sized returns a slice of n, the old one where it is long enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// prepare readies the scratch for vectors. Rough ones are answered by products of
// bytes alone: who can do without a tenth of the neighbours does not see the
// difference, and the vectors that are not read are most of what an answer reads.
func (x *scratch) prepare(s *state, vectors [][]float32, rough bool) {
	for len(x.queries) < len(vectors) {
		x.queries = append(x.queries, query{})
	}
	x.ints, x.floats = sized(x.ints, rowsAtOnce), sized(x.floats, rowsAtOnce)
	x.turned = sized(x.turned, s.stride)
	for i, v := range vectors {
		q := &x.queries[i]
		q.vector = sized(q.vector, s.stride)
		clear(q.vector[copy(q.vector, v):])
		q.bytes = sized(q.bytes, s.stride)
		q.scale, q.bias = quantised.Query(v, q.bytes)
		if q.margin = 0; rough {
			continue
		}

		// The error of a product of bytes is a sum of many roundings, each even
		// over a step: normal, with this deviation. Two products may be wrong by
		// 5 deviations each before a true neighbour is lost.
		var square float32
		for _, c := range v {
			square += c * c
		}
		q.margin = 10 * float32(math.Sqrt(float64((q.scale*q.scale+s.largest*s.largest*square)/12)))
	}
}

// search answers vectors among the slots of pass, count of them, with k hits
// each. It chooses the way that reads the fewest bytes; recall is index.Query's.
func (s *state) search(x *scratch, vectors [][]float32, k int, recall float64, pass bitset, count int) {
	x.prepare(s, vectors, recall > 0 && recall < 1)
	queries := x.queries[:len(vectors)]
	k = min(k, count)
	for i := range queries {
		queries[i].best.reset(k, queries[i].margin)
	}
	switch {
	case count == 0:
	case s.codes == nil && count > s.used*2/5, s.codes != nil && count > s.used/2 && k >= s.live/4:
		s.scanRows(x, queries, pass)
	case s.codes == nil || count <= s.used/10+1000:
		x.ids = pass.slots(x.ids[:0])
		for i := range queries {
			s.gatherRows(x, &queries[i], x.ids)
		}
	default:
		s.scanCodes(x, queries, k, s.codes.effort(recall), count, pass)
	}
}

// scanRows multiplies the queries with every row, some rows at a time.
func (s *state) scanRows(x *scratch, queries []query, pass bitset) {
	for start := 0; start < s.used; start += rowsAtOnce {
		n := min(rowsAtOnce, s.used-start)
		for i := range queries {
			q := &queries[i]
			s.kernel.bytes.Scan(&q.bytes[0], &s.rows.mapped[start*s.stride], (n+3)&^3, s.stride, &x.ints[0])
			scales := s.scales[start:][:n]
			for j, product := range x.ints[:n] {
				score := float32(product-q.bias) * (q.scale * scales[j])
				if slot := uint32(start + j); score >= q.best.threshold && pass.has(slot) {
					q.best.push(score, slot)
				}
			}
		}
	}
}

// gatherRows multiplies a query with the rows of some slots.
func (s *state) gatherRows(x *scratch, q *query, slots []uint32) {
	for part := range slices.Chunk(slots, rowsAtOnce) {
		s.kernel.bytes.Gather(&q.bytes[0], &s.rows.mapped[0], &part[0], len(part), s.stride, &x.ints[0])
		for j, slot := range part {
			score := float32(x.ints[j]-q.bias) * (q.scale * s.scales[slot])
			if score >= q.best.threshold {
				q.best.push(score, slot)
			}
		}
	}
}

// scanCodes estimates the products with the codes of the nearest cells, then
// multiplies the rows of those that seem best.
func (s *state) scanCodes(x *scratch, queries []query, k int, e effort, count int, pass bitset) {
	depth := min(e.depth.at(k), count)
	all := count == s.live
	for i := range queries {
		q := &queries[i]
		q.planes = sized(q.planes, s.codes.words*4)
		s.codes.query(q.vector[:s.spec.Dim], x.turned, q.planes, &q.scan)
		q.best.reset(depth, 0)
		s.scanCells(x, q, e.reach.at(k), pass, all)
		q.best.cut()
		x.ids = x.ids[:0]
		for _, candidate := range q.best.buffer {
			x.ids = append(x.ids, candidate.slot)
		}
		slices.Sort(x.ids) // in the order of memory
		q.best.reset(k, q.margin)
		s.gatherRows(x, q, x.ids)
	}
}

// scanCells looks at the cells nearest to a query, one after the other, until it
// has seen so many entries that pass as, in the mean over the cells, hold the
// neighbours that are asked for. Where few pass these lie further apart, and it
// goes as much further.
func (s *state) scanCells(x *scratch, q *query, reach int, pass bitset, all bool) {
	cells := s.codes.cells
	cells.rank(s.kernel, q, x)
	order, seen := x.order, 0
	for first := 2 * reach * len(order) / max(1, s.live); seen < reach && len(order) > 0; first *= 2 {
		n := min(len(order), max(8, first))
		partition(order, n)
		slices.SortFunc(order[:n], nearerCell) // the nearest first: the threshold rises the sooner
		for _, o := range order[:n] {
			if seen >= reach {
				return
			}
			l := &cells.lists[o.slot]
			for i, seg := range l.segments {
				seen += s.scanSegment(x, q, seg, min(segmentSize, l.count-i*segmentSize), pass, all)
			}
		}
		order = order[n:]
	}
}

// scanSegment estimates a segment's n codes, keeps those above the threshold that
// pass and returns how many do.
func (s *state) scanSegment(x *scratch, q *query, seg *segment, n int, pass bitset, all bool) (passing int) {
	of := ^uint64(0) >> (segmentSize - n)
	if !all {
		for i, slot := range seg.slots[:n] {
			if !pass.has(slot) {
				of &^= 1 << i
			}
		}
		if of == 0 {
			return 0
		}
	}
	seg.scan(s.kernel, &q.scan, x, q.best.threshold, n)
	for word := of & binary.LittleEndian.Uint64(x.mask[:]); word != 0; word &= word - 1 {
		i := bits.TrailingZeros64(word)
		if x.floats[i] > q.best.threshold {
			q.best.push(x.floats[i], seg.slots[i])
		}
	}
	return bits.OnesCount64(of)
}

// scan estimates a query's products with a segment's first n codes: x.floats, and
// in x.mask which of them are above the threshold.
func (seg *segment) scan(k kernel, of *codeScan, x *scratch, threshold float32, n int) {
	of.codes, of.blocks = &seg.bits[0], (n+7)/8
	of.scale, of.sum, of.bias = &seg.scale[0], &seg.sum[0], &seg.bias[0]
	of.threshold, of.out, of.mask = threshold, &x.floats[0], &x.mask[0]
	k.scanCodes(of)
	clear(x.mask[of.blocks:])
}

// nearest multiplies the float32 vectors of a query's best, unless it is a rough
// one, and returns the k nearest, best first. What it returns is scratch.
func (s *state) nearest(x *scratch, q *query, k int) []found {
	q.best.cut()
	x.ids, x.found = x.ids[:0], x.found[:0]
	if q.margin == 0 {
		for _, candidate := range q.best.buffer {
			x.found = append(x.found, found(candidate))
		}
		return x.ordered(s, k)
	}
	for _, candidate := range q.best.buffer {
		x.ids = append(x.ids, candidate.slot)
	}
	slices.Sort(x.ids)
	for part := range slices.Chunk(x.ids, rowsAtOnce) {
		s.kernel.dotFloats(&q.vector[0], (*float32)(unsafe.Pointer(&s.vectors.mapped[0])), &part[0], len(part), s.stride, &x.floats[0])
		for j, slot := range part {
			x.found = append(x.found, found{x.floats[j], slot})
		}
	}
	return x.ordered(s, k)
}

// ordered is what was found, best first, k at most.
func (x *scratch) ordered(s *state, k int) []found {
	slices.SortFunc(x.found, func(a, b found) int {
		if a.score != b.score {
			return cmp.Compare(b.score, a.score)
		}
		return cmp.Compare(s.ids[a.slot], s.ids[b.slot])
	})
	return x.found[:min(k, len(x.found))]
}

// answer is search as the port wants it.
func (s *state) answer(x *scratch, vectors [][]float32, k int, recall float64, pass bitset, count int) [][]index.Hit {
	s.search(x, vectors, k, recall, pass, count)
	answers := make([][]index.Hit, len(vectors))
	all := make([]index.Hit, 0, len(vectors)*min(k, count))
	for i := range vectors {
		first := len(all)
		for _, f := range s.nearest(x, &x.queries[i], k) {
			all = append(all, index.Hit{ID: s.ids[f.slot], Score: f.score, Hint: f.slot + 1})
		}
		answers[i] = all[first:len(all):len(all)]
	}
	return answers
}

// products multiplies queries with the rows of ids: one list for each query, NaN
// for an absent id.
func (s *state) products(x *scratch, queries [][]float32, ids []upnext.ItemID) [][]float32 {
	x.prepare(s, queries, true)
	x.ids = x.ids[:0]
	all, absent := make([]float32, len(queries)*len(ids)), float32(math.NaN())
	products := make([][]float32, len(queries))
	for i := range queries {
		products[i] = all[i*len(ids) : (i+1)*len(ids) : (i+1)*len(ids)]
	}
	there := make([]uint32, 0, len(ids)) // places in ids
	for i, id := range ids {
		if slot, ok := s.slot[id]; ok {
			x.ids, there = append(x.ids, slot), append(there, uint32(i))
			continue
		}
		for _, list := range products {
			list[i] = absent
		}
	}
	for start := 0; start < len(x.ids); start += rowsAtOnce {
		part := x.ids[start:min(start+rowsAtOnce, len(x.ids))]
		for k := range queries {
			q := &x.queries[k]
			s.kernel.bytes.Gather(&q.bytes[0], &s.rows.mapped[0], &part[0], len(part), s.stride, &x.ints[0])
			for j, slot := range part {
				products[k][there[start+j]] = float32(x.ints[j]-q.bias) * (q.scale * s.scales[slot])
			}
		}
	}
	return products
}
