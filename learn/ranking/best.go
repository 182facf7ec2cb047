package ranking

import (
	"cmp"
	"math"
	"slices"
)

// Best is the k items with the highest scores, best first, equals by number.
// Those with a score of -Inf, or that is no number, are left out.
func Best(scores []float32, k int) []int32 {
	best := lowest{scores: scores, items: make([]int32, 0, max(0, min(k, len(scores))))}
	least := float32(math.Inf(-1)) // what an item must exceed
	for i, s := range scores {
		switch {
		case k <= 0 || !(s > least):
		case len(best.items) < k:
			best.items = append(best.items, int32(i))
			if len(best.items) == k {
				for at := k/2 - 1; at >= 0; at-- {
					best.sink(at)
				}
				least = scores[best.items[0]]
			}
		default:
			best.items[0] = int32(i)
			best.sink(0)
			least = scores[best.items[0]]
		}
	}
	slices.SortFunc(best.items, func(a, b int32) int {
		if scores[a] != scores[b] {
			return cmp.Compare(scores[b], scores[a])
		}
		return cmp.Compare(a, b)
	})
	return best.items
}

// lowest is a binary heap with the worst item in front: of equals the last one.
// It is written out, for each request ranks all that the models know:
// container/heap asks an interface at every comparison, which is half of it.
type lowest struct {
	scores []float32
	items  []int32
}

func (l lowest) worse(a, b int32) bool {
	x, y := l.scores[a], l.scores[b]
	return x < y || x == y && a > b
}

// sink moves the item at a place down until none below it is worse.
func (l lowest) sink(at int) {
	for item := l.items[at]; ; {
		under := 2*at + 1
		if under+1 < len(l.items) && l.worse(l.items[under+1], l.items[under]) {
			under++
		}
		if under >= len(l.items) || !l.worse(l.items[under], item) {
			l.items[at] = item
			return
		}
		l.items[at], at = l.items[under], under
	}
}
