package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestIngestThroughServer lets the server that has the data open import: the
// command tells the same of what could not be taken.
func TestIngestThroughServer(t *testing.T) {
	dir := t.TempDir()
	source := writeFile(t, filepath.Join(dir, "items.ndjson"), fewItems+strings.Repeat("{\"id\":\n", 22))
	args := []string{"ingest", source, "--data-dir", filepath.Join(dir, "data")}
	launch(t, "serve", "--data-dir", filepath.Join(dir, "data"))
	out, _, err := upnextRun(t, append(args, "--json")...)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Created, Failed int
		Failures        []letter
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Created != 3 || got.Failed != 22 || len(got.Failures) != shownFailures {
		t.Fatalf("%d created, %d failed, %d failures shown, want 3, 22, %d:\n%s", got.Created, got.Failed, len(got.Failures), shownFailures, out)
	}
	if l := got.Failures[0]; l.Key != "items.ndjson" || l.Line != 4 || l.Stage != "read" || l.Cause != "syntax" || l.Detail == "" {
		t.Errorf("first failure %+v, want items.ndjson line 4, read, syntax", l)
	}
	out, _, err = upnextRun(t, args...)
	if err != nil || !strings.Contains(out, "and 2 more: GET /v1/imports/imp_") {
		t.Errorf("printed %q, %v, want where the 2 others are", out, err)
	}
}
