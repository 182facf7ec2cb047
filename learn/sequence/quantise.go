package sequence

import (
	"math"

	"upnext/learn/kernel"
)

// bytes8 holds vectors in 8 bits a number, each vector with a scale of its own:
// a quarter of the memory, and of what a score of all items reads.
type bytes8 struct {
	codes  []int8
	scales []float32
	d      int
}

// quantise rounds vectors of d numbers.
func quantise(v []float32, d int) *bytes8 {
	q := &bytes8{make([]int8, len(v)), make([]float32, len(v)/d), d}
	for i := range q.scales {
		highest := float32(0)
		for _, x := range v[i*d:][:d] {
			highest = max(highest, x, -x)
		}
		if q.scales[i] = highest / 127; highest == 0 {
			continue
		}
		for j, x := range v[i*d:][:d] {
			q.codes[i*d+j] = int8(math.RoundToEven(float64(x / q.scales[i])))
		}
	}
	return q
}

func (q *bytes8) row(item int32, v []float32) {
	k := q.scales[item]
	for j, c := range q.codes[int(item)*q.d:][:q.d] {
		v[j] = float32(c) * k
	}
}

func (q *bytes8) score(l kernel.Level, x, scores []float32) {
	for i := range scores {
		scores[i] = l.DotBytes(x, q.codes[i*q.d:][:q.d]) * q.scales[i]
	}
}

// Quantised is the model with its items' vectors in 8 bits a number, where they
// go in and where they come out. What that costs is measured in docs/results.md.
func (m *Model) Quantised() *Model {
	if m.vectors8 != nil {
		return m
	}
	v := &weights{layout: m.v.layout, w: append([]float32(nil), m.v.w[:m.v.items]...)}
	q := newModel(m.net, v, m.made)
	q.vectors8 = quantise(m.v.w[m.v.items:], m.Dim())
	return q
}
