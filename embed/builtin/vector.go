package builtin

import "math"

// unit scales v to length 1 in place. A vector of zeros stays one.
func unit(v []float32) {
	var n float64
	for _, x := range v {
		n += float64(x) * float64(x)
	}
	if n == 0 {
		return
	}
	inv := float32(1 / math.Sqrt(n))
	for i := range v {
		v[i] *= inv
	}
}

func relu(v []float32) []float32 {
	for i, x := range v {
		v[i] = max(x, 0)
	}
	return v
}

// plus adds b to a in place.
func plus(a, b []float32) []float32 {
	for i, x := range b {
		a[i] += x
	}
	return a
}

// zeros gives n zeros, in s if they fit there.
func zeros(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	s = s[:n]
	clear(s)
	return s
}
