package crowd

import (
	"cmp"
	"math"
	"sort"
)

// ranking keeps items in the order of their scores while single scores move.
// Items are dense numbers, so that slices serve as maps.
type ranking struct {
	scores []float64 // by item; 0 for what is not in the order
	places []int32   // by item; of no meaning where the score is 0
	order  []int32   // best first, ties by item
}

// tiny is what rounding may leave of a score that was taken back.
const tiny = 1e-9

// of returns an item's score.
func (r *ranking) of(item int32) float64 {
	if int(item) >= len(r.scores) {
		return 0
	}
	return r.scores[item]
}

// add moves an item's score and its place.
func (r *ranking) add(item int32, by float64) {
	for int(item) >= len(r.scores) {
		r.scores, r.places = append(r.scores, 0), append(r.places, 0)
	}
	before := r.scores[item]
	after := before + by
	if after <= tiny*max(before, -by) {
		after = 0
	}
	if before > 0 {
		at := int(r.places[item])
		switch {
		case after > before:
			r.lift(item, after, at)
			return
		case after > 0:
			r.sink(item, after, at)
			return
		}
		r.sink(item, 0, at)
		r.order = r.order[:len(r.order)-1]
		return
	}
	if after > 0 {
		r.order = append(r.order, item)
		r.lift(item, after, len(r.order)-1)
	}
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

// sink gives the item at a place a score that is lower; 0 is last of all.
func (r *ranking) sink(item int32, score float64, at int) {
	rest := r.order[at+1:]
	to := at + sort.Search(len(rest), func(i int) bool { return r.ahead(item, score, rest[i]) })
	copy(r.order[at:to], r.order[at+1:to+1])
	r.order[to], r.scores[item] = item, score
	r.number(at, to)
}

// number writes down the places from one to another.
func (r *ranking) number(from, to int) {
	for i := from; i <= to; i++ {
		r.places[r.order[i]] = int32(i)
	}
}

// multiply scales all scores; their order stays.
func (r *ranking) multiply(by float64) {
	for _, item := range r.order {
		r.scores[item] = max(r.scores[item]*by, math.SmallestNonzeroFloat64) // 0 means not there
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
	list := make([]Scored, min(n, len(r.order)))
	for i := range list {
		item := r.order[i]
		list[i] = Scored{item, r.scores[item] * scale}
	}
	return list
}
