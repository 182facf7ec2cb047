package crowd

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// ordered is how many items a ranking keeps in order. Where it has lost half of
// them it looks for the best again.
const ordered = 4096

// ranking keeps the best items in the order of their scores while single scores
// move; what comes after them is put in order only for who asks. Items are dense
// numbers, so that slices serve as maps.
type ranking struct {
	scores []float64 // by item; 0 for what is not there
	places []int32   // by item: its place in order plus one; 0 where it has none
	order  []int32   // best first, ties by item
	below  int       // items with a score that are not in order: none is ahead of one that is
	most   int       // that are in order; 0 stands for ordered
}

func (r *ranking) depth() int { return cmp.Or(r.most, ordered) }

// tiny is what rounding may leave of a score that was taken back.
const tiny = 1e-9

// of returns an item's score.
func (r *ranking) of(item int32) float64 {
	if int(item) >= len(r.scores) {
		return 0
	}
	return r.scores[item]
}

// set gives an item a score; places are to be found anew, by rank.
func (r *ranking) set(item int32, score float64) {
	r.grow(item)
	r.scores[item] = score
}

func (r *ranking) grow(item int32) {
	if n := int(item) + 1 - len(r.scores); n > 0 {
		r.scores, r.places = append(r.scores, make([]float64, n)...), append(r.places, make([]int32, n)...)
	}
}

// add moves an item's score and its place.
func (r *ranking) add(item int32, by float64) {
	r.grow(item)
	before := r.scores[item]
	after := before + by
	if after <= tiny*max(before, -by) {
		after = 0
	}
	switch at := int(r.places[item]) - 1; {
	case at >= 0 && after >= before:
		r.lift(item, after, at)
	case at >= 0:
		r.sink(item, after, at)
	default:
		r.below += count(after) - count(before)
		if r.scores[item] = after; after > 0 {
			r.enter(item, after)
		}
	}
}

// count is 1 where a score says that its item is there.
func count(score float64) int {
	if score > 0 {
		return 1
	}
	return 0
}

// enter takes an item from below into the order if it belongs there; the last may
// have to leave it.
func (r *ranking) enter(item int32, score float64) {
	last := len(r.order) - 1
	switch {
	case r.below == 1 && len(r.order) < r.depth(): // it is the only one
	case last < 0 || !r.ahead(item, score, r.order[last]):
		return // others below may be ahead of it
	case len(r.order) == r.depth():
		r.places[r.order[last]] = 0
		r.order = r.order[:last]
		r.below++
	}
	r.below--
	r.order = append(r.order, item)
	r.lift(item, score, len(r.order)-1)
}

// ahead reports whether an item of some score stands before another.
func (r *ranking) ahead(item int32, score float64, other int32) bool {
	return cmp.Or(cmp.Compare(r.scores[other], score), cmp.Compare(item, other)) < 0
}

// lift gives the item at a place a score that is not lower.
func (r *ranking) lift(item int32, score float64, at int) {
	to := sort.Search(at, func(i int) bool { return r.ahead(item, score, r.order[i]) })
	copy(r.order[to+1:at+1], r.order[to:at])
	r.order[to], r.scores[item] = item, score
	r.number(to, at)
}

// sink gives the item at a place a score that is lower; it leaves the order where
// its score is 0, or where one below may be ahead of it now.
func (r *ranking) sink(item int32, score float64, at int) {
	rest := r.order[at+1:]
	to := at + sort.Search(len(rest), func(i int) bool { return r.ahead(item, score, rest[i]) })
	copy(r.order[at:to], r.order[at+1:to+1])
	r.order[to], r.scores[item] = item, score
	r.number(at, to)
	if to < len(r.order)-1 || score > 0 && r.below == 0 {
		return
	}
	r.order, r.places[item] = r.order[:to], 0
	r.below += count(score)
	if r.below > 0 && len(r.order) < r.depth()/2 {
		r.rank()
	}
}

// number writes down the places from one to another.
func (r *ranking) number(from, to int) {
	for i := from; i <= to; i++ {
		r.places[r.order[i]] = int32(i) + 1
	}
}

// rank finds the best of all anew.
func (r *ranking) rank() {
	all := r.sorted()
	r.order = append(r.order[:0], all[:min(r.depth(), len(all))]...)
	r.below = len(all) - len(r.order)
	clear(r.places)
	r.number(0, len(r.order)-1)
}

// sorted puts all items in order.
func (r *ranking) sorted() []int32 {
	all := make([]int32, 0, len(r.order)+r.below)
	for item, score := range r.scores {
		if score > 0 {
			all = append(all, int32(item))
		}
	}
	slices.SortFunc(all, func(a, b int32) int { return cmp.Or(cmp.Compare(r.scores[b], r.scores[a]), cmp.Compare(a, b)) })
	return all
}

// multiply scales all scores; their order stays.
func (r *ranking) multiply(by float64) {
	for item, score := range r.scores {
		if score > 0 {
			r.scores[item] = max(score*by, math.SmallestNonzeroFloat64) // 0 means not there
		}
	}
}

func (r *ranking) top() float64 {
	if len(r.order) == 0 {
		return 0
	}
	return r.scores[r.order[0]]
}

// first returns up to n items with their scores scaled, best first. It copies: who
// reads it holds no lock meanwhile.
func (r *ranking) first(n int, scale float64) []Scored {
	order := r.order
	if n > len(order) && r.below > 0 {
		order = r.sorted()
	}
	list := make([]Scored, min(n, len(order)))
	for i := range list {
		item := order[i]
		list[i] = Scored{item, r.scores[item] * scale}
	}
	return list
}
