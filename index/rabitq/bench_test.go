package rabitq

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

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
	b.Logf("rabitq: %d entries filled in %.1f s, kernel %s", len(w.Entries), time.Since(started).Seconds(), x.state.kernel.name)
	if x.state.codes != nil {
		b.Logf("rabitq: depth %+v", x.state.codes.depth)
	}
	exact := w.Fill(b, flat.New())
	for i, c := range w.Cases {
		b.Run(c.Name+"/rabitq", func(b *testing.B) { w.Bench(b, x, i) })
		b.Run(c.Name+"/flat", func(b *testing.B) { w.Bench(b, exact, i) })
	}
	benchHnswlib(b, w)
}

// benchHnswlib runs the script beside this file and logs what it measures.
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
			b.Logf("hnswlib: built in %.1f s of processor time", *line.Build)
			continue
		}
		b.Logf("hnswlib: %-16s ef %3d  recall@10 %.4f  %8.0f queries/cpu-s", w.Cases[line.Case].Name, line.Ef, line.Recall, line.Speed)
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
