package rabitq

import "math"

// depth is how many of the best estimates must be looked at exactly to find
// the ten and the hundred nearest at the recall that is aimed at.
type depth struct{ Ten, Hundred int }

// at is the depth for k hits: between and beyond the two points as a power of k.
func (d depth) at(k int) int {
	if k <= 10 {
		return d.Ten
	}
	power := math.Log10(float64(d.Hundred) / float64(d.Ten))
	return max(int(float64(d.Ten)*math.Pow(float64(k)/10, power)), k+k/2+16)
}
