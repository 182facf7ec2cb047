package crowd

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkReading is what a page reads of 20,000 viewers' counts on 100,000
// items: alone, and with requests at once while events come.
func BenchmarkReading(b *testing.B) {
	const items, viewers = 100_000, 20_000
	c := New(DefaultSettings())
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func() int32 { return int32(float64(items) * rng.Float64() * rng.Float64() * rng.Float64()) }
	for i := range 20 * viewers {
		c.Add(viewer(i%viewers), draw(), noon.Add(-time.Duration(rng.IntN(60))*time.Hour), noon, "")
	}
	seeds := make([]Scored, 30)
	candidates := make([]int32, 1000)
	for i := range candidates {
		candidates[i] = draw()
	}
	for i := range seeds {
		seeds[i] = Scored{draw(), 1}
	}
	read := map[string]func(){
		"trending 600":     func() { c.Trending(noon, 600) },
		"audience 1000":    func() { c.Audience(noon, candidates) },
		"popularity 1000":  func() { c.Popularity(candidates) },
		"together 30seeds": func() { c.Together(seeds) },
	}
	for _, name := range []string{"trending 600", "audience 1000", "popularity 1000", "together 30seeds"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				read[name]()
			}
		})
	}
	for _, events := range []int{0, 500} {
		b.Run(fmt.Sprintf("all at once, %d events a second", events), func(b *testing.B) {
			done := make(chan struct{})
			if events > 0 {
				go func() {
					tick := time.NewTicker(time.Second / time.Duration(events))
					defer tick.Stop()
					for i := 0; ; i++ {
						select {
						case <-done:
							return
						case <-tick.C:
							c.Add(viewer(i%viewers), int32(i*7919%items), noon, noon, "")
						}
					}
				}()
			}
			b.SetParallelism(32)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					for _, f := range read {
						f()
					}
				}
			})
			close(done)
		})
	}
}
