package matrix

import (
	"math/rand/v2"
	"testing"
)

func TestSmall(t *testing.T) {
	s := NewSmall(1)
	for _, n := range []int{1, 2, 31, 32, 33, 64, 65, 200} {
		s.Resize(n)
		a, b := spd(n, uint64(n)), make([]float32, n)
		rng := rand.New(rand.NewPCG(3, 3))
		for i := range b {
			b[i] = rng.Float32()
		}
		copy(s.A, a)
		copy(s.B, b)
		if !s.Solve() {
			t.Fatalf("n = %d: not positive definite", n)
		}
		if got := off(a, s.B, b, n, 1); got > 1e-4 {
			t.Errorf("n = %d: A·x is %v from b", n, got)
		}
	}
	s.Resize(2)
	copy(s.A, []float32{1, 2, 2, 1})
	if s.Solve() {
		t.Error("an indefinite matrix is solved")
	}
}

func BenchmarkSmall(b *testing.B) {
	const n = 64
	a, s := spd(n, 1), NewSmall(n)
	for b.Loop() {
		copy(s.A, a)
		s.Solve()
	}
}
