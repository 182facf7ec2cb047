package ranking

import (
	"math"

	"upnext/learn"
)

// Takers says who took to each item: viewers by number, ascending, each once.
type Takers [][]int32

// TakersOf reads them from a log.
func TakersOf(log learn.Log) Takers {
	t := make(Takers, log.Items)
	for v, h := range log.Viewers {
		for _, item := range h.Items {
			if n := len(t[item]); n == 0 || t[item][n-1] != int32(v) {
				t[item] = append(t[item], int32(v))
			}
		}
	}
	return t
}

// Counts is how many took to each item.
func (t Takers) Counts() []int {
	counts := make([]int, len(t))
	for i, viewers := range t {
		counts[i] = len(viewers)
	}
	return counts
}

// Likeness is the cosine of two items as sets of viewers: |A ∩ B| / √(|A| |B|);
// 0 where nobody took to one of them.
func (t Takers) Likeness(a, b int32) float64 {
	x, y := t[a], t[b]
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	both, size := 0, math.Sqrt(float64(len(x))*float64(len(y)))
	for len(x) > 0 && len(y) > 0 {
		switch {
		case x[0] < y[0]:
			x = x[1:]
		case x[0] > y[0]:
			y = y[1:]
		default:
			both++
			x, y = x[1:], y[1:]
		}
	}
	return float64(both) / size
}
