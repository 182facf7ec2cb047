package rabitq

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// rotation is a random orthogonal map of size dimensions. It spreads what a
// vector says evenly over all of them, which is what makes one bit for each a
// fair witness. Random signs and Hadamard transforms cost size·log size where
// a dense matrix costs size²; made of additions alone, they give the same bits
// on every processor. (The construction is that of the RaBitQ library: where
// size is no power of two, the transform covers its first and its last part
// by turns, and a butterfly over the halves mixes them.)
type rotation struct {
	size  int // a multiple of 64
	part  int // the largest power of two in size
	signs [rounds][]float32
}

const rounds = 4

func newRotation(size int) *rotation {
	r := &rotation{size: size, part: 1 << (bits.Len(uint(size)) - 1)}
	rng := rand.New(rand.NewPCG(uint64(size), 0x7ab17c)) // the codes on disk depend on these numbers
	for round := range r.signs {
		// The signs carry the scale that keeps lengths.
		r.signs[round] = make([]float32, size)
		first, last := r.span(round)
		for i := range r.signs[round] {
			scale := 1.0
			if i >= first && i < last {
				scale /= math.Sqrt(float64(r.part))
			}
			if r.part != r.size {
				scale /= math.Sqrt2 // for the butterfly
			}
			if rng.Uint64()&1 == 1 {
				scale = -scale
			}
			r.signs[round][i] = float32(scale)
		}
	}
	return r
}

// span is the part of the dimensions that a round's transform covers.
func (r *rotation) span(round int) (first, last int) {
	if round%2 == 0 {
		return 0, r.part
	}
	return r.size - r.part, r.size
}

// apply turns v, of size components, in place.
func (r *rotation) apply(v []float32) {
	v = v[:r.size]
	for round := range r.signs {
		signs := r.signs[round][:len(v)]
		for i := range v {
			v[i] *= signs[i]
		}
		first, last := r.span(round)
		hadamard(v[first:last])
		if r.part == r.size {
			continue
		}
		low, high := v[:r.size/2], v[r.size/2:]
		for i := range low {
			low[i], high[i] = low[i]+high[i], low[i]-high[i]
		}
	}
}

// hadamard is the unscaled Walsh-Hadamard transform of a power of two of at
// least 64 numbers. Two levels at a time halve the passes over memory.
func hadamard(v []float32) {
	step := 1
	if bits.Len(uint(len(v)))%2 == 0 { // an odd number of levels
		for i := 0; i+2 <= len(v); i += 2 {
			v[i], v[i+1] = v[i]+v[i+1], v[i]-v[i+1]
		}
		step = 2
	}
	for ; step < len(v); step *= 4 {
		for start := 0; start < len(v); start += 4 * step {
			a, b := v[start:][:step], v[start+step:][:step]
			c, d := v[start+2*step:][:step], v[start+3*step:][:step]
			for i := range a {
				s, t := a[i]+b[i], a[i]-b[i]
				u, w := c[i]+d[i], c[i]-d[i]
				a[i], b[i], c[i], d[i] = s+u, t+w, s-u, t-w
			}
		}
	}
}
