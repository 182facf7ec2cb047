package rabitq

import (
	"slices"

	"upnext/learn/kernel/quantised"
)

// codes are the one-bit codes of a collection's vectors after RaBitQ (Gao and
// Long, SIGMOD 2024): the signs of the centred, randomly rotated vector. With
// a scale for each, the product with a query of 4-bit digits is estimated
// without bias from bit counts alone.
type codes struct {
	words    int
	centre   []float32 // the mean of the vectors when the codes were made
	rotation *rotation
	madeFor  int // live entries then
	written  int // entries put since
	efforts  [len(recalls)]effort
	cells    *cells

	assigning *assigning // the writer's
}

// code is one vector's.
type code struct {
	bits             []uint64
	scale, sum, bias float32
}

func newCodes(dim int, centre []float32, in *cells) *codes {
	size := quantised.Padded(dim)
	return &codes{words: size / 64, centre: centre, rotation: newRotation(size), cells: in, assigning: newAssigning(in)}
}

// encode makes v's code. turned is scratch of padded length.
func (c *codes) encode(v, turned []float32, into *code) {
	into.bits = slices.Grow(into.bits[:0], c.words)[:c.words]
	into.bias = 0
	for i, x := range v {
		turned[i] = x - c.centre[i]
		into.bias += x * c.centre[i]
	}
	clear(turned[len(v):])
	c.rotation.apply(turned)
	var square, absolute float32
	ones := 0
	for w := range into.bits {
		var word uint64
		for i, x := range turned[w*64:][:64] {
			square += x * x
			if x > 0 {
				absolute += x
				word |= 1 << i
				ones++
			} else {
				absolute -= x
			}
		}
		into.bits[w] = word
	}
	into.scale = 0
	if absolute > 0 { // else the vector is the centre
		into.scale = square / absolute
	}
	into.sum = into.scale * float32(ones)
}

// query prepares s to scan for q: its digits into planes (words × 4) and the
// constants of the estimate. turned is scratch of padded length.
func (c *codes) query(q, turned []float32, planes []uint64, s *codeScan) {
	for i, x := range q {
		turned[i] = x - c.centre[i]
	}
	clear(turned[len(q):])
	c.rotation.apply(turned)
	low, high, total := turned[0], turned[0], float32(0)
	for _, x := range turned {
		low, high = min(low, x), max(high, x)
		total += x
	}
	step := (high - low) / 15
	if step == 0 {
		step = 1 // all components are equal: every digit is 0
	}
	inverse := 1 / step
	clear(planes)
	for i, x := range turned {
		digit := uint64((x-low)*inverse + 0.5)
		word := planes[i/64*4:][:4]
		for p := range word {
			word[p] |= (digit >> p & 1) << (i % 64)
		}
	}
	// Σ ±qᵢ = 2·Σ over ones of (low + step·digit) − Σ qᵢ, times the scale.
	s.planes, s.words = &planes[0], c.words
	s.a, s.b, s.c = 2*step, -total, 2*low
}
