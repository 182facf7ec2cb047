//go:build unix

package sequence

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"upnext/learn"
	"upnext/learn/learntest"
)

const rounds = 2 // in which both take their turn

// epoch is what one cost.
type epoch struct {
	Wall float64 `json:"wall_s"`
	CPU  float64 `json:"cpu_s"`
	Acts int     `json:"acts"`
}

// BenchmarkEpoch times an epoch of SASRec as train/models.go has it on the
// training histories of protocol ml1m-loo, and one of infra/train on the same
// histories and as many threads, in turn, in one run. The first epoch of each
// warms up and is left out, and so is validation.
//
//	UPNEXT_DATA=DIR UPNEXT_PYTHON=PYTHON go test ./learn/sequence -run '^$' -bench Epoch -benchtime 1x
func BenchmarkEpoch(b *testing.B) {
	python := os.Getenv("UPNEXT_PYTHON")
	if python == "" {
		b.Skip("UPNEXT_PYTHON is unset")
	}
	log := learntest.Films(b, 1)
	length, hop := (&sasrec{length: 200}).window()
	histories := writeHistories(b, divideLog(log, 20_000, length, hop).fitting)
	var ours, torch epoch
	for round := range rounds {
		load, _ := os.ReadFile("/proc/loadavg")
		mine, theirs := goEpoch(b, log), torchEpoch(b, python, histories)
		b.Logf("round %d, load %.14s: Go %.1f s, %.1f CPU-s; PyTorch %.1f s, %.1f CPU-s; ratio %.2f of wall, %.2f of CPU", round+1, load,
			mine.Wall, mine.CPU, theirs.Wall, theirs.CPU, theirs.Wall/mine.Wall, theirs.CPU/mine.CPU)
		ours.Wall, ours.CPU, torch.Wall, torch.CPU = ours.Wall+mine.Wall/rounds, ours.CPU+mine.CPU/rounds, torch.Wall+theirs.Wall/rounds, torch.CPU+theirs.CPU/rounds
	}
	for name, e := range map[string]epoch{"go": ours, "torch": torch, "ratio": {Wall: torch.Wall / ours.Wall, CPU: torch.CPU / ours.CPU}} {
		b.ReportMetric(e.Wall, name+"-wall")
		b.ReportMetric(e.CPU, name+"-cpu")
	}
	b.ReportMetric(0, "ns/op") // says that there is none
}

// goEpoch times the second of three epochs: the last is followed by validation.
func goEpoch(b *testing.B, log learn.Log) (e epoch) {
	b.Helper()
	var at time.Time
	training := Training{Epochs: 3, Crop: .3, Decay: .5, Average: .998, Every: 3, Seed: 1}
	_, err := SASRec{Dropout: .2, Training: training}.Fit(b.Context(), log, epochs(func(s learn.Step) {
		switch s.Done {
		case 1:
			at, e.CPU = time.Now(), learntest.ProcessorSeconds()
		case 2:
			e.Wall, e.CPU = time.Since(at).Seconds(), learntest.ProcessorSeconds()-e.CPU
		}
	}))
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func torchEpoch(b *testing.B, python, histories string) (e epoch) {
	b.Helper()
	command := exec.Command(python, filepath.Join(trainer, "bench.py"), histories, "2", "1")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err == nil {
		err = json.Unmarshal(out, &e)
	}
	if err != nil {
		b.Fatalf("%s: %v", out, err)
	}
	return e
}

// writeHistories stores runs as infra/train reads them.
func writeHistories(b *testing.B, runs [][]int32) string {
	b.Helper()
	var text strings.Builder
	for v, run := range runs {
		fmt.Fprintf(&text, "%d\t%s\n", v+1, strings.Trim(fmt.Sprint(run), "[]"))
	}
	path := filepath.Join(b.TempDir(), "histories")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}
