package matrix

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"upnext"
)

// spd makes a symmetric positive definite n × n matrix, far from diagonal: a
// Gram matrix of few positive vectors, and n/30 on the diagonal.
func spd(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	const depth = 9
	v := make([]float32, n*depth)
	for i := range v {
		v[i] = rng.Float32()
	}
	a := make([]float32, n*n)
	for i := range n {
		for j := range n {
			for k := range depth {
				a[i*n+j] += v[i*depth+k] * v[j*depth+k]
			}
		}
		a[i*n+i] += 1 + float32(n)/30
	}
	return a
}

// off is the largest distance of A·X from B.
func off(a, x, b []float32, n, columns int) float64 {
	var worst float64
	for i := range n {
		for j := range columns {
			var sum float64
			for k := range n {
				sum += float64(a[i*n+k]) * float64(x[k*columns+j])
			}
			worst = max(worst, math.Abs(sum-float64(b[i*columns+j])))
		}
	}
	return worst
}

func TestCholesky(t *testing.T) {
	for _, n := range []int{1, 2, 31, 127, 128, 129, 256, 300} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			a, identity := spd(n, uint64(n)), make([]float32, n*n)
			for i := range n {
				identity[i*n+i] = 1
			}
			f, err := Cholesky(t.Context(), slices.Clone(a), n)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(2, 2))
			for _, columns := range []int{1, 33, 515} {
				b := make([]float32, n*columns)
				for i := range b {
					b[i] = rng.Float32()
				}
				x := slices.Clone(b)
				if err := f.Solve(t.Context(), x, columns); err != nil {
					t.Fatal(err)
				}
				if got := off(a, x, b, n, columns); got > 1e-4 {
					t.Errorf("%d columns: A·X is %v from B", columns, got)
				}
			}
			p, err := f.Inverse(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := off(a, p, identity, n, n); got > 1e-4 {
				t.Errorf("A·A⁻¹ is %v from 1", got)
			}
			for i := range n {
				for j := range n {
					if p[i*n+j] != p[j*n+i] {
						t.Fatalf("inverse (%d, %d) is %v and %v", i, j, p[i*n+j], p[j*n+i])
					}
				}
			}
		})
	}
}

func TestCholeskyRefuses(t *testing.T) {
	const n = 200
	for name, spoil := range map[string]func(a []float32){
		"indefinite": func(a []float32) { a[150*n+150] = -1 },
		"zero":       func(a []float32) { clear(a) },
		"NaN":        func(a []float32) { a[3*n+3] = float32(math.NaN()) },
		"infinite":   func(a []float32) { a[0] = float32(math.Inf(1)) },
	} {
		a := spd(n, 5)
		spoil(a)
		if _, err := Cholesky(t.Context(), a, n); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Cholesky(ended, spd(n, 5), n); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func BenchmarkInverse(b *testing.B) {
	const n = 3416
	a := spd(n, 1)
	b.ResetTimer()
	for b.Loop() {
		f, err := Cholesky(b.Context(), slices.Clone(a), n)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Inverse(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(n)*float64(n)*float64(n)/b.Elapsed().Seconds()/1e9, "GF/s")
}
