package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"upnext/bench"
)

// TestBench runs the command as typed, on a small world for a moment: all steps
// come to their end without a failure and each figure is measured. How fast it
// was says nothing here.
func TestBench(t *testing.T) {
	if _, ok := bench.ReadMemory(os.Getpid()); !ok {
		t.Skip("this system does not tell what processes use")
	}
	dir := t.TempDir()
	program, keep, figures := asUpnext(t), filepath.Join(dir, "world"), filepath.Join(dir, "figures.json")
	args := []string{
		"bench", "--items", "2000", "--users", "150", "--seed", "3", "--for", "2s", "--requests", "20", "--events", "50", "--upserts", "5",
		"--models", "popular,itemitem", "--keep", keep, "--json", figures,
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stderr = t.Output()
	table, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"p50_ms", "p99_ms", "p999_ms", "max_ms", "saturation_rps", "event_to_effect_p99_ms", "upsert_to_recommendable_p99_ms", "cpu_ms_per_request",
		"allocations_per_request", "index_recall_at_10", "memory_mb", "memory_mapped_mb", "ready_ms", "events_per_second_batched", "events_per_second_single", "fold_lag_ms",
	} {
		if v, ok := fields[name].(float64); !ok || v <= 0 {
			t.Errorf("%s is %v, want a number above 0", name, fields[name])
		}
	}
	var got bench.Report
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	checkReport(t, got)
	for _, line := range []string{"p99", "saturation", "target (100k items, 20k viewers)"} {
		if !strings.Contains(string(table), line) {
			t.Errorf("the table has no %q:\n%s", line, table)
		}
	}

	// Another world does not go into the folder of this one.
	args[slices.Index(args, "150")] = "160"
	other := exec.CommandContext(t.Context(), program, args...)
	if said, err := other.CombinedOutput(); err == nil || !strings.Contains(string(said), "holds 2000 items, 150 users, seed 3") {
		t.Errorf("another world in the same folder: %v: %s", err, said)
	}
}

// checkReport looks whether figures can be true.
func checkReport(t *testing.T, got bench.Report) {
	t.Helper()
	if got.Requests != 40 || got.Writes == 0 || got.Writes > 20 { // 2 s of 20 requests, 5 posts and 5 items
		t.Errorf("%d requests and %d writes were heard, want 40 and 20", got.Requests, got.Writes)
	}
	for what := range got.Failures {
		if !strings.Contains(what, "overloaded") && !strings.Contains(what, "deadline") { // where others have the machine, those are right
			t.Errorf("%s", what)
		}
	}
	if got.P50 > got.P99 || got.P99 > got.P999 || got.P999 > got.Max || got.First.P50 == 0 {
		t.Errorf("%+v and of the first %+v: want them in order", got.Latency, got.First)
	}
	if got.Recall < .8 || got.Recall > 1 {
		t.Errorf("recall@10 %.3f", got.Recall)
	}
	// A profile of two seconds has some dozen samples: which of the stages of an
	// answer they hit is chance, that they hit one is not.
	var all, answering float64
	for stage, spent := range got.CPUByStage {
		if all += spent; strings.HasPrefix(stage, "recall") || slices.Contains([]string{"viewer", "blend", "rerank", "explain", "slates"}, stage) {
			answering += spent
		}
	}
	if answering == 0 || all < .99*got.CPUPerRequest || all > 1.01*got.CPUPerRequest {
		t.Errorf("processor ms by stage %v, want stages of an answer among them and %.3f together", got.CPUByStage, got.CPUPerRequest)
	}
	if got.WallByStage["recall"] == 0 || len(got.Models) != 2 || len(got.Steps) == 0 || got.EventToEffect.Looked == 0 || got.ItemToEffect.Looked == 0 {
		t.Errorf("%+v", got)
	}
	for _, s := range []string{"taste", "together", "learned", "followed", "popular"} {
		if got.Sources[s] == 0 {
			t.Errorf("nothing came from %s: %v", s, got.Sources)
		}
	}
}

// asUpnext is this test's binary under the name by which it is the program.
func asUpnext(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "upnext")
	if os.Link(os.Args[0], name) == nil {
		return name
	}
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}
