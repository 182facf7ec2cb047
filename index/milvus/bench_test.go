package milvus

import (
	"cmp"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext/index"
	"upnext/index/indextest"
	"upnext/index/rabitq"
)

// BenchmarkBeside asks the servers and the embedded engine the same, one
// question after another: latency, and the share of the embedded engine's best
// twenty that the server has too.
func BenchmarkBeside(b *testing.B) {
	w := indextest.NewWorkload(b, 10_000, 512, 200)
	embedded, err := rabitq.Open(b.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = embedded.Close() })
	beside := w.Fill(b, embedded)
	for which, c := range w.Cases {
		b.Run("rabitq/"+c.Name, func(b *testing.B) { ask(b, w, which, beside, beside) })
	}
	for name, variable := range servers {
		address := os.Getenv(variable)
		if address == "" {
			continue
		}
		began := time.Now()
		x := w.Fill(b, fresh(b, address))
		b.Logf("%s: %d entries in %v", name, len(w.Entries), time.Since(began))
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if v := x.(*Index).overlay.view(time.Now()); len(v.recent) == 0 && v.level == entity.ClBounded {
				break // reads are bounded, and nothing is laid over
			}
		}
		for which, c := range w.Cases {
			b.Run(name+"/"+c.Name, func(b *testing.B) { ask(b, w, which, x, beside) })
		}
	}
}

func ask(b *testing.B, w *indextest.Workload, which int, x, beside index.Index) {
	var took []time.Duration
	search := func(of index.Index, i, k int) []index.Hit {
		hits, err := of.Search(b.Context(), index.Query{Vectors: w.Queries[i : i+1], K: k, Filter: w.Cases[which].Filter})
		if err != nil {
			b.Fatal(err)
		}
		return hits[0]
	}
	same, all := 0, 0
	for i := range w.Queries {
		want := search(beside, i, 20)
		got := search(x, i, 20)
		for _, h := range want {
			all++
			if slices.ContainsFunc(got, func(g index.Hit) bool { return g.ID == h.ID }) {
				same++
			}
		}
	}
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		search(x, i%len(w.Queries), 20)
		took = append(took, time.Since(began))
	}
	slices.SortFunc(took, cmp.Compare)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(same)/float64(all), "overlap@20")
}
