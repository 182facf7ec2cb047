package sequence

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"upnext/learn"
	"upnext/learn/artefact"
)

const trainer = "../../infra/train" // of PyTorch

// The artefact of infra/train is the same network here: it gives the scores
// that PyTorch gives, for histories of one act and of more than is read, too.
func TestTorchArtefact(t *testing.T) { sameAsTorch(t, "testdata") }

// What is committed is made anew where a Python with PyTorch is given by
// UPNEXT_PYTHON; with UPNEXT_UPDATE set it takes the place of what is committed.
func TestTorchFixture(t *testing.T) {
	python, dir := os.Getenv("UPNEXT_PYTHON"), t.TempDir()
	if python == "" || os.Getenv("CI") != "" {
		t.Skip("UPNEXT_PYTHON is unset, or this is CI, where there is no PyTorch")
	}
	if err := exec.Command(python, "-c", "import torch, safetensors").Run(); err != nil {
		t.Skipf("%s has no PyTorch: %v", python, err)
	}
	if os.Getenv("UPNEXT_UPDATE") != "" {
		dir = "testdata"
	}
	if out, err := exec.Command(python, filepath.Join(trainer, "fixture.py"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sameAsTorch(t, dir)
}

func sameAsTorch(t *testing.T, dir string) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "torch.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a, err := artefact.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(a)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "torch.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Items  []int32
		Scores []float32
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 || m.Items() != 40 {
		t.Fatalf("%d histories, %d items", len(cases), m.Items())
	}
	got := make([]float32, m.Items())
	for _, c := range cases {
		if !m.Score(learn.History{Items: c.Items}, got) || len(c.Scores) != len(got) {
			t.Fatalf("%v: %d scores wanted", c.Items, len(c.Scores))
		}
		for i, want := range c.Scores {
			if math.Abs(float64(got[i]-want)) > 1e-4 {
				t.Errorf("after %v item %d scores %v, in PyTorch %v", c.Items, i, got[i], want)
			}
		}
		// It has learned something: scores that are all near 0 would agree, too.
		next := (c.Items[len(c.Items)-1] + 1) % 40
		if best := slices.Index(got, slices.Max(got)); int32(best) != next {
			t.Errorf("after %v item %d comes first, want %d", c.Items, best, next)
		}
	}
}
