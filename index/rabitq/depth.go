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

// effort is how much of a collection is looked at so that a search has a recall.
type effort struct {
	recall float64 // in the mean
	reach  depth   // entries of the nearest cells whose codes are read
	depth  depth   // best estimates that are looked at exactly
}

// recalls are those that a collection is calibrated for; the last is what is
// promised where nothing is said. The others are for who asks for many vectors at
// once and blends what comes: in vectors of real intrinsic dimension the last few
// of the neighbours cost most of the work.
var recalls = [...]float64{0.90, 0.95, 0.99}

// effort is the least that gives a recall; the greatest where that is 0 or more
// than there is.
func (c *codes) effort(recall float64) effort {
	for _, e := range c.efforts {
		if recall > 0 && recall <= e.recall {
			return e
		}
	}
	return c.efforts[len(c.efforts)-1]
}
