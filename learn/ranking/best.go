package ranking

import (
	"cmp"
	"math"
	"slices"
)

// sampled is how many scores tell from where on the best begin, where there are
// many times as many as are wanted.
const sampled = 512

// Best is the k items with the highest scores, best first, equals by number.
// Those with a score of -Inf, or that is no number, are left out.
func Best(scores []float32, k int) []int32 {
	if k = min(k, len(scores)); k <= 0 {
		return nil
	}
	best := lowest{scores: scores, items: make([]int32, 0, k), k: k, least: float32(math.Inf(-1))}
	if cut := guess(scores, k); cut > best.least {
		// A pass that compares with one number costs a fraction of one that keeps a
		// heap. Where it finds k, the k best are among what it finds.
		found := make([]int32, 0, 4*k)
		for i, s := range scores {
			if s >= cut {
				found = append(found, int32(i))
			}
		}
		if len(found) >= k {
			for _, item := range found {
				best.offer(item)
			}
			return best.sorted()
		}
	}
	for i, s := range scores {
		if s > best.least {
			best.offer(int32(i))
		}
	}
	return best.sorted()
}

// guess is a score that about twice k of the scores reach, by a sample of them;
// -Inf where it would spare nothing.
func guess(scores []float32, k int) float32 {
	step := len(scores) / sampled
	if step < 8 || 2*k*sampled/len(scores) > sampled/8 {
		return float32(math.Inf(-1))
	}
	sample := make([]float32, sampled)
	for i := range sample {
		sample[i] = scores[i*step]
	}
	slices.Sort(sample)                                  // what is no number comes first
	return sample[sampled-1-(2*k*sampled/len(scores)+4)] // a few more, as it is a sample
}

// lowest is a binary heap with the worst item in front: of equals the last one.
// It is written out, for each request ranks all that the models know:
// container/heap asks an interface at every comparison, which is half of it.
type lowest struct {
	scores []float32
	items  []int32
	k      int     // kept at most
	least  float32 // what an item must exceed
}

// offer takes an item in if it is among the k best so far. Items come by number.
func (l *lowest) offer(item int32) {
	switch s := l.scores[item]; {
	case !(s > l.least):
		return
	case len(l.items) < l.k:
		l.items = append(l.items, item)
		if len(l.items) < l.k {
			return
		}
		for at := l.k/2 - 1; at >= 0; at-- {
			l.sink(at)
		}
	default:
		l.items[0] = item
		l.sink(0)
	}
	l.least = l.scores[l.items[0]]
}

func (l *lowest) worse(a, b int32) bool {
	x, y := l.scores[a], l.scores[b]
	return x < y || x == y && a > b
}

// sink moves the item at a place down until none below it is worse.
func (l *lowest) sink(at int) {
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

func (l *lowest) sorted() []int32 {
	slices.SortFunc(l.items, func(a, b int32) int {
		if x, y := l.scores[a], l.scores[b]; x != y {
			return cmp.Compare(y, x)
		}
		return cmp.Compare(a, b)
	})
	return l.items
}
