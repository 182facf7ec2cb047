package milvus

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"upnext/index"
	"upnext/index/indextest"
	"upnext/infra/enginetest"
)

// TestPromotionAtRate searches 100 times a second, each search at its own time
// whatever became of those before it, while another process promotes to and
// fro every 1.3 seconds, longer than the first believes what it knows: none may fail. UPNEXT_SOAK_PROMOTION is how long, "60s".
func TestPromotionAtRate(t *testing.T) {
	// milvus-lite answers some 20 a second of 4,000 entries, on one core: there
	// searches come 25 a second.
	every := map[string]time.Duration{"lite": 40 * time.Millisecond, "standalone": 10 * time.Millisecond}
	entries, lasts := map[string]int{"lite": 200, "standalone": 300}, 2*time.Second
	if s := os.Getenv("UPNEXT_SOAK_PROMOTION"); s != "" {
		entries["standalone"] = 20_000
		var err error
		if lasts, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	const promoteEvery = 1280 * time.Millisecond
	for name, variable := range servers {
		t.Run(name, func(t *testing.T) {
			c := fresh(t, enginetest.URL(t, variable))
			other := opened(t, enginetest.URL(t, variable)+"?prefix="+c.prefix)
			t.Cleanup(func() { _ = other.Close() })
			names := []string{"one", "two"}
			for _, n := range names {
				fill(t, c, n, index.Spec{Dim: 64}, entries[name])
			}
			if err := c.Promote(t.Context(), "t", "one"); err != nil {
				t.Fatal(err)
			}
			asked := indextest.Vectors(5, 1, 64)
			var mu sync.Mutex
			var took []time.Duration
			answered := map[string]int{}
			search := func() {
				at := time.Now()
				name, x, err := other.Active(t.Context(), "t")
				if err != nil {
					t.Errorf("active: %v", err)
					return
				}
				hits, err := x.Search(t.Context(), index.Query{Vectors: asked, K: 10})
				if err != nil || len(hits[0]) != 10 {
					t.Errorf("search of %s: %v, %v", name, hits, err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(at))
				answered[name]++
			}
			var searching sync.WaitGroup
			promotions, start := 0, time.Now()
			for n := 0; time.Since(start) < lasts; n++ {
				time.Sleep(time.Until(start.Add(time.Duration(n) * every[name])))
				searching.Go(search)
				if at := time.Duration(n) * every[name]; at%promoteEvery == promoteEvery/4 {
					promotions++
					to := names[promotions%2]
					searching.Go(func() {
						if err := c.Promote(t.Context(), "t", to); err != nil {
							t.Errorf("promote: %v", err)
						}
					})
				}
			}
			lasted := time.Since(start)
			searching.Wait()
			slices.Sort(took)
			if len(took) == 0 {
				t.Fatal("no search was answered")
			}
			t.Logf("%d searches in %s over %d promotions, all answered: %v; p50 %s, p99 %s", len(took), lasted.Round(time.Millisecond),
				promotions, answered, took[len(took)/2].Round(time.Millisecond/10), took[len(took)*99/100].Round(time.Millisecond/10))
			if lasts > 10*time.Second && len(answered) != 2 {
				t.Errorf("answered by %v, want both", answered)
			}
		})
	}
}
