package rabitq

import (
	"math"
	"time"
)

// Numbers and times are held as int64 keys of the same order, so that one loop
// compares both. Keys lie strictly between these two, which stand for "smaller
// and greater than all".
const (
	below = math.MinInt64
	above = math.MaxInt64
)

// orderFloat maps numbers to keys; NaN, which no comparison holds for, to above.
func orderFloat(f float64) int64 {
	if f != f {
		return above
	}
	key := int64(math.Float64bits(f + 0)) // adding turns -0 into 0
	if key < 0 {
		key ^= math.MaxInt64
	}
	return key
}

// unorderFloat is orderFloat's inverse.
func unorderFloat(key int64) float64 {
	if key == above {
		return math.NaN()
	}
	if key < 0 {
		key ^= math.MaxInt64
	}
	return math.Float64frombits(uint64(key))
}

// The times whose nanoseconds since 1970 fit a key.
var (
	firstTime = time.Unix(0, below+1)
	lastTime  = time.Unix(0, above-1)
)

// orderTime maps times to keys; those too early or late to below or above.
func orderTime(t time.Time) int64 {
	switch {
	case t.Before(firstTime):
		return below
	case t.After(lastTime):
		return above
	}
	return t.UnixNano()
}
