//go:build unix

package collab

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"upnext/learn"
	"upnext/learn/learntest"
)

// epochs are fitted by BenchmarkEpoch, the first ones to warm up.
const epochs, warm = 9, 2

// BenchmarkEpoch times an epoch of iALS on MovieLens 1M, solved exactly and by
// conjugate gradients, and the same of the package implicit, in one run:
//
//	UPNEXT_DATA=DIR UPNEXT_PYTHON=PYTHON go test ./learn/collab -run '^$' -bench Epoch
func BenchmarkEpoch(b *testing.B) {
	log := learntest.Films(b, 0)
	widths := []int{64, 128}
	for _, d := range widths {
		for name, steps := range map[string]int{"exact": -1, "cg": 3} {
			var at time.Time
			var wall, cpu float64
			_, err := IALS{Factors: d, Steps: steps, Epochs: epochs}.Fit(b.Context(), log, func(s learn.Step) {
				switch s.Done {
				case warm:
					at, cpu = time.Now(), learntest.ProcessorSeconds()
				case epochs:
					wall, cpu = time.Since(at).Seconds(), learntest.ProcessorSeconds()-cpu
				}
			})
			if err != nil {
				b.Fatal(err)
			}
			reportEpoch(b, fmt.Sprintf("%d/%s/ours", d, name), wall/(epochs-warm), cpu/(epochs-warm))
		}
	}
	benchImplicit(b, log, widths)
}

func reportEpoch(b *testing.B, name string, wall, cpu float64) {
	b.Run(name, func(b *testing.B) {
		b.ReportMetric(wall, "s")
		b.ReportMetric(cpu, "cpu-s")
		b.ReportMetric(0, "ns/op") // says that there is none
	})
}

// benchImplicit runs the script beside this file and reports what it measures.
func benchImplicit(b *testing.B, log learn.Log, widths []int) {
	python := os.Getenv("UPNEXT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import implicit").Run(); err != nil {
		b.Logf("implicit: not measured, %s does not have it: %v", python, err)
		return
	}
	var acts []byte
	for v, h := range log.Viewers {
		for _, item := range h.Items {
			acts = binary.LittleEndian.AppendUint32(acts, uint32(v))
			acts = binary.LittleEndian.AppendUint32(acts, uint32(item))
		}
	}
	path := filepath.Join(b.TempDir(), "acts")
	if err := os.WriteFile(path, acts, 0o600); err != nil {
		b.Fatal(err)
	}
	args := []string{"bench/implicit_bench.py", path}
	for _, d := range widths {
		args = append(args, strconv.Itoa(d))
	}
	command := exec.Command(python, args...)
	command.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1") // as implicit wants it
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		b.Fatalf("implicit: %v", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var line struct {
			Factors int
			CG      bool
			Wall    float64 `json:"wall_s"`
			CPU     float64 `json:"cpu_s"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			b.Fatalf("implicit said %q: %v", lines.Text(), err)
		}
		name := map[bool]string{false: "exact", true: "cg"}[line.CG]
		reportEpoch(b, fmt.Sprintf("%d/%s/implicit", line.Factors, name), line.Wall, line.CPU)
	}
}
