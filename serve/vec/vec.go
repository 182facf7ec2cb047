// Package vec has the few operations on vectors that a request needs.
package vec

import (
	"math"

	"upnext/learn/kernel"
)

// Dot is the inner product of two vectors of one length. The order of its
// sums is fixed on a machine, so that equal vectors give equal results.
func Dot(a, b []float32) float32 {
	if l := kernel.Best(); l >= kernel.AVX2 {
		return l.Dot(a, b)
	}
	var s0, s1, s2, s3 float32
	b = b[:len(a)] // lifts the bounds checks out of the loop
	i := 0
	for ; i+8 <= len(a); i += 8 {
		x, y := a[i:i+8:i+8], b[i:i+8:i+8]
		s0 += x[0]*y[0] + x[4]*y[4]
		s1 += x[1]*y[1] + x[5]*y[5]
		s2 += x[2]*y[2] + x[6]*y[6]
		s3 += x[3]*y[3] + x[7]*y[7]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// Add adds w times v to sum.
func Add(sum, v []float32, w float32) {
	v = v[:len(sum)]
	for i := range sum {
		sum[i] += w * v[i]
	}
}

// Unit scales v in place to length 1 and returns it; nil where it has no
// length to scale.
func Unit(v []float32) []float32 {
	n := math.Sqrt(float64(Dot(v, v)))
	if !(n > 1e-9) || math.IsInf(n, 0) {
		return nil
	}
	inverse := float32(1 / n)
	for i := range v {
		v[i] *= inverse
	}
	return v
}
