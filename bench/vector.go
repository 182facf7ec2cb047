package bench

import (
	"math"
	"math/rand/v2"
)

// intrinsic is the dimension of the space that the items' vectors lie near:
// embeddings of texts were measured at 25 to 30.
const intrinsic = 28

// What an item's place in the intrinsic space is made of, as deviations, and
// how far from the origin all of them lie: embeddings are not centred.
const (
	ofTopic   = 0.7
	ofCreator = 0.35
	ofItem    = 0.65
	ofAll     = 3
)

// Vector is that of item n, w.Dim numbers of length 1: near its topic's centre,
// nearer to those of its creator, and a little outside of the intrinsic space.
func (w *World) Vector(n int) []float32 {
	creator := w.creatorOf(n)
	style, own := normal(w.random(saltStyle, uint64(creator)), intrinsic), w.random(saltVector, uint64(n))
	v := make([]float32, w.Dim)
	for i := range v {
		v[i] = ofAll*w.offset[i] + float32(own.NormFloat64())
	}
	for row, centre := range w.centres[w.topicOf(creator)] {
		x := ofTopic*centre + ofCreator*style[row] + ofItem*float32(own.NormFloat64())
		for i, y := range w.image[row*w.Dim:][:w.Dim] {
			v[i] += x * y
		}
	}
	return unit(v)
}

// normal are n numbers of the standard normal distribution.
func normal(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// between is two parts of one vector and one of another, of length 1.
func between(a, b []float32) []float32 {
	v := make([]float32, len(a))
	for i := range v {
		v[i] = 2*a[i] + b[i]
	}
	return unit(v)
}

// unit brings v to length 1, in place.
func unit(v []float32) []float32 {
	length := float32(math.Sqrt(float64(dot(v, v))))
	for i := range v {
		v[i] /= length
	}
	return v
}

// dot is the inner product.
func dot(a, b []float32) float32 {
	var sum float32
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
