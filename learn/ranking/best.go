package ranking

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// Best is the k items with the highest scores, best first, equals by number.
// Those with a score of -Inf are left out.
func Best(scores []float32, k int) []int32 {
	best := lowest{scores: scores, items: make([]int32, 0, max(0, min(k, len(scores))))}
	least := float32(math.Inf(-1)) // what an item must exceed
	for i, s := range scores {
		switch {
		case k <= 0 || s <= least:
		case len(best.items) < k:
			heap.Push(&best, int32(i))
			if len(best.items) == k {
				least = scores[best.items[0]]
			}
		default:
			best.items[0] = int32(i)
			heap.Fix(&best, 0)
			least = scores[best.items[0]]
		}
	}
	slices.SortFunc(best.items, func(a, b int32) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	return best.items
}

// lowest is a heap with the worst item in front: of equals the last one.
type lowest struct {
	scores []float32
	items  []int32
}

func (l lowest) Len() int      { return len(l.items) }
func (l lowest) Swap(i, j int) { l.items[i], l.items[j] = l.items[j], l.items[i] }
func (l lowest) Less(i, j int) bool {
	a, b := l.items[i], l.items[j]
	return cmp.Or(cmp.Compare(l.scores[a], l.scores[b]), cmp.Compare(b, a)) < 0
}
func (l *lowest) Push(x any) { l.items = append(l.items, x.(int32)) }
func (l *lowest) Pop() any {
	last := l.items[len(l.items)-1]
	l.items = l.items[:len(l.items)-1]
	return last
}
