package collab

import (
	"math"
	"math/rand/v2"
	"testing"

	"upnext/learn"
	"upnext/learn/kernel"
)

// TestRough: a large catalogue's scores are the exact ones, to a hundredth of the
// factors' lengths.
func TestRough(t *testing.T) {
	const items, d = 17_001, 64
	rng := rand.New(rand.NewPCG(5, 5))
	factors := make([]float32, items*d)
	for i := range factors {
		factors[i] = float32(rng.NormFloat64() * math.Exp(rng.NormFloat64()) / 8)
	}
	m := newFactors(factorSettings{Items: items, Factors: d, Alpha: .1, Lambda: .003, Nu: 1}, factors)
	if m.rough == nil {
		t.Fatal("it is scored exactly")
	}
	scores := make([]float32, items)
	h := learn.History{Items: []int32{3, 17_000, 512, 9_999}}
	if !m.Score(h, scores) {
		t.Fatal("the history says nothing")
	}
	a := m.solvers.New().(*asked)
	m.place(h, a)
	length := math.Sqrt(float64(kernel.Best().Dot(a.viewer, a.viewer)))
	for i, got := range scores {
		own := factors[i*d : (i+1)*d]
		want := kernel.Best().Dot(a.viewer, own)
		if bound := .02 * length * math.Sqrt(float64(kernel.Best().Dot(own, own))); math.Abs(float64(got-want)) > bound {
			t.Fatalf("item %d: %v, want %v, give or take %v", i, got, want, bound)
		}
	}
}
