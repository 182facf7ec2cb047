package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNormalize(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for _, n := range []int{8, 16, 256, 1280} {
		x, scale, shift := randomFloats(rng, n), randomFloats(rng, n), randomFloats(rng, n)
		var mean, variance float64
		for _, v := range x {
			mean += float64(v) / float64(n)
		}
		for _, v := range x {
			variance += (float64(v) - mean) * (float64(v) - mean) / float64(n)
		}
		want := slices.Clone(x)
		Plain.Normalize(want, scale, shift, 1e-3)
		for i, got := range want {
			exact := (float64(x[i])-mean)/math.Sqrt(variance+1e-3)*float64(scale[i]) + float64(shift[i])
			if !near(float64(got), exact) {
				t.Fatalf("%d values, value %d: got %v, want %v", n, i, got, exact)
			}
		}
		for _, l := range Levels() {
			got := slices.Clone(x)
			l.Normalize(got, scale, shift, 1e-3)
			if !slices.Equal(got, want) {
				t.Errorf("%v, %d values: differs from plain", l, n)
			}
		}
	}
}
