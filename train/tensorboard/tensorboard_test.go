package tensorboard

import (
	"encoding/json"
	"errors"
	"math"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"upnext/infra/enginetest"
)

// reading prints what TensorBoard's own reader makes of a folder.
const reading = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [[e.step, e.value, e.wall_time] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`

func TestReadByTensorBoard(t *testing.T) {
	python := enginetest.URL(t, "UPNEXT_TEST_PYTHON")
	dir := t.TempDir()
	at := time.Unix(1_800_000_000, 250_000_000)
	w, err := Create(dir, "run_1", func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float64{"sasrec/loss": {7.5, 6.25, 5.125}, "sasrec/metric": {0, .1892}}
	for tag, values := range want {
		for i, v := range values {
			if err := w.Scalar(tag, i+1, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	printed, err := exec.CommandContext(t.Context(), python, "-c", reading, filepath.Join(dir, "run_1")).Output()
	if err != nil {
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var got map[string][][3]float64
	if err := json.Unmarshal(printed, &got); err != nil {
		t.Fatalf("%v in %s", err, printed)
	}
	if len(got) != len(want) {
		t.Errorf("got the tags of %v, want %v", got, want)
	}
	for tag, values := range want {
		if len(got[tag]) != len(values) {
			t.Fatalf("%s: got %v, want %v", tag, got[tag], values)
		}
		for i, v := range values {
			if p := got[tag][i]; p[0] != float64(i+1) || math.Abs(p[1]-v) > 1e-6 || math.Abs(p[2]-1_800_000_000.25) > 1e-3 {
				t.Errorf("%s: point %d is %v, want step %d, value %v", tag, i, p, i+1, v)
			}
		}
	}
}
