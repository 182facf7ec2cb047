package rabitq

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"upnext/index"
	"upnext/index/flat"
	"upnext/index/indextest"
)

// BenchmarkEngines measures rabitq, flat and hnswlib with one load in one run:
//
//	go test ./index/rabitq -run '^$' -bench Engines -timeout 1h
//
// UPNEXT_BENCH_N (100000) and UPNEXT_BENCH_DIM (384) set the size;
// UPNEXT_PYTHON (python3) is the Python whose hnswlib is measured, if it has it.
func BenchmarkEngines(b *testing.B) {
	w := indextest.NewWorkload(b, setting(b, "UPNEXT_BENCH_N", 100_000), setting(b, "UPNEXT_BENCH_DIM", 384), 200)
	started := time.Now()
	x := w.Fill(b, opened(b, b.TempDir())).(*collection)
	filled := map[string]float64{"s": time.Since(started).Seconds()}
	if x.state.codes != nil {
		for _, e := range x.state.codes.efforts {
			filled[fmt.Sprintf("depth@100/%.2f", e.recall)], filled[fmt.Sprintf("reach@100/%.2f", e.recall)] = float64(e.depth.Hundred), float64(e.reach.Hundred)
		}
	}
	report(b, "build/rabitq-"+x.state.kernel.name, filled)
	exact := w.Fill(b, flat.New())
	for i, c := range w.Cases {
		b.Run(c.Name+"/rabitq", func(b *testing.B) { w.Bench(b, x, i) })
		b.Run(c.Name+"/flat", func(b *testing.B) { w.Bench(b, exact, i) })
	}
	benchHnswlib(b, w)
}

// report shows what was measured elsewhere among the benchmarks.
func report(b *testing.B, name string, metrics map[string]float64) {
	b.Run(name, func(b *testing.B) {
		for unit, value := range metrics {
			b.ReportMetric(value, unit)
		}
		b.ReportMetric(0, "ns/op") // says that there is none
	})
}

// benchHnswlib runs the script beside this file and reports what it measures.
func benchHnswlib(b *testing.B, w *indextest.Workload) {
	python := os.Getenv("UPNEXT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import hnswlib, numpy").Run(); err != nil {
		b.Logf("hnswlib: not measured, %s does not have it: %v", python, err)
		return
	}
	dir := b.TempDir()
	if err := w.Write(dir); err != nil {
		b.Fatal(err)
	}
	command := exec.Command(python, "bench/hnswlib_bench.py", dir, strconv.Itoa(w.Dim), strconv.Itoa(len(w.Cases)))
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		b.Fatalf("hnswlib: %v", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var line struct {
			Build  *float64 `json:"build_cpu_s"`
			Case   int      `json:"case"`
			Ef     int      `json:"ef"`
			Recall float64  `json:"recall"`
			Speed  float64  `json:"queries_per_cpu_s"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			b.Fatalf("hnswlib said %q: %v", lines.Text(), err)
		}
		if line.Build != nil {
			report(b, "build/hnswlib", map[string]float64{"cpu-s": *line.Build})
			continue
		}
		report(b, fmt.Sprintf("%s/hnswlib-ef%d", w.Cases[line.Case].Name, line.Ef), map[string]float64{"recall@10": line.Recall, "queries/cpu-s": line.Speed})
	}
}

func setting(b *testing.B, name string, usual int) int {
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return n
}

// BenchmarkReopen opens 100,000 entries of 512 components and asks once.
func BenchmarkReopen(b *testing.B) {
	w := indextest.NewWorkload(b, setting(b, "UPNEXT_BENCH_N", 100_000), 512, 1)
	dir := b.TempDir()
	c, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	w.Fill(b, c)
	if err := c.Promote(b.Context(), "tests", "bench"); err != nil {
		b.Fatal(err)
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c, err := Open(dir, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		_, x, err := c.Active(b.Context(), "tests")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := x.Search(b.Context(), index.Query{Vectors: w.Queries, K: 10}); err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSearchWhileWriting shows what readers wait for a writer that never
// rests: the slowest of a thousand searches alone and beside it.
func BenchmarkSearchWhileWriting(b *testing.B) {
	w := indextest.NewWorkload(b, setting(b, "UPNEXT_BENCH_N", 100_000), 384, 100)
	x := w.Fill(b, opened(b, b.TempDir()))
	for _, writing := range []bool{false, true} {
		b.Run(fmt.Sprintf("writing=%v", writing), func(b *testing.B) {
			ctx, stop := context.WithCancel(b.Context())
			var writer sync.WaitGroup
			written := 0
			if writing {
				writer.Go(func() {
					for part := 0; ctx.Err() == nil; part = (part + 256) % (len(w.Entries) - 256) {
						if err := x.Upsert(ctx, w.Entries[part:part+256]...); err != nil && ctx.Err() == nil {
							b.Errorf("upsert: %v", err)
						}
						written += 256
					}
				})
			}
			var took []time.Duration
			for b.Loop() {
				started := time.Now()
				if _, err := x.Search(ctx, index.Query{Vectors: w.Queries[len(took)%100:][:1], K: 10}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(started))
			}
			stop()
			writer.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
			b.ReportMetric(float64(written)/b.Elapsed().Seconds(), "entries-written/s")
		})
	}
}

// BenchmarkSeveralVectors asks for eight vectors in one pass, and one by one; at
// the recalls that there are.
func BenchmarkSeveralVectors(b *testing.B) {
	w := indextest.NewWorkload(b, setting(b, "UPNEXT_BENCH_N", 100_000), 384, 64)
	x := w.Fill(b, opened(b, b.TempDir()))
	for _, ask := range []struct {
		by     int
		recall float64
	}{{1, 0}, {8, 0}, {8, 0.95}, {8, 0.9}} {
		b.Run(fmt.Sprintf("by=%d/recall=%.2f", ask.by, ask.recall), func(b *testing.B) {
			for i := 0; b.Loop(); i = (i + 8) % len(w.Queries) {
				for part := range slices.Chunk(w.Queries[i:i+8], ask.by) {
					if _, err := x.Search(b.Context(), index.Query{Vectors: part, K: 100, Recall: ask.recall}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
