//go:build unix

package collab

import (
	"math/rand/v2"
	"testing"

	"upnext/learn"
	"upnext/learn/kernel"
	"upnext/learn/learntest"
)

// BenchmarkScore asks models of ML-1M's size with a history of its mean length,
// 165 items. What weights hold does not matter to it.
func BenchmarkScore(b *testing.B) {
	const n, acts = 3416, 165
	rng := rand.New(rand.NewPCG(1, 2))
	h := learn.History{}
	for _, i := range rng.Perm(n)[:acts] {
		h.Items = append(h.Items, int32(i))
	}
	noise := func(size int) []float32 {
		v := make([]float32, size)
		for i := range v {
			v[i] = rng.Float32() - .5
		}
		return v
	}
	dense := func(scales int) *weights { return &weights{rows: scales * n, columns: n, value: noise(scales * n * n)} }
	models := map[string]learn.Model{
		"ease":             newLinear(ease, n, []Decay{recent}, dense(1), Storage{}),
		"ease/bytes":       newLinear(ease, n, []Decay{recent}, dense(1), Storage{Bytes: true}),
		"ease/keep=300":    newLinear(ease, n, []Decay{recent}, dense(1), Storage{Keep: 300}),
		"ease/last=60":     newLinear(ease, n, []Decay{{Tau: 4, Floor: .02, Last: 60}}, dense(1), Storage{}),
		"ridge":            newLinear(ridge, n, Ridge{}.withDefaults().Scales, dense(2), Storage{}),
		"ridge/bytes":      newLinear(ridge, n, Ridge{}.withDefaults().Scales, dense(2), Storage{Bytes: true}),
		"ials/factors=64":  newFactors(factorSettings{Items: n, Factors: 64, Alpha: .1, Lambda: .003, Nu: 1}, noise(n*64)),
		"ials/factors=256": newFactors(factorSettings{Items: n, Factors: 256, Alpha: .1, Lambda: .003, Nu: 1}, noise(n*256)),
	}
	for name, m := range models {
		b.Run(name, func(b *testing.B) {
			scores := make([]float32, n)
			begun := learntest.ProcessorSeconds()
			for b.Loop() {
				m.Score(h, scores)
			}
			b.ReportMetric((learntest.ProcessorSeconds()-begun)*1e9/float64(b.N), "cpu-ns/op")
		})
	}
	b.Run("axpy", func(b *testing.B) {
		x, y := noise(n), noise(n)
		for b.Loop() {
			kernel.Best().Axpy(y, .1, x)
		}
	})
}
