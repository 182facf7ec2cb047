package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"upnext"
)

// TestEval measures two models on a tiny log as typed: the tables to the standard
// output, the JSON to a file.
func TestEval(t *testing.T) {
	dir := t.TempDir()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	for v := range 40 {
		fmt.Fprintf(w, "%d\t", v+1)
		for i := range 6 {
			fmt.Fprintf(w, " %d", 1+(v+i)%12)
		}
		fmt.Fprintln(w)
	}
	w.Close()
	if err := os.WriteFile(filepath.Join(dir, "sequences_sas.txt.gz"), zipped.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "table.json")
	args := []string{"eval", "--protocol", "ml1m-loo", "--data", dir, "--models", "popular,ease", "--seeds", "2"}
	var out, log bytes.Buffer
	if err := run(t.Context(), append(args, "--json", file), &out, &log); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ml1m-loo: 40 cases, 12 items, seed 1", "gSASRec", "published", "ease (refit)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Protocol string
		Rows     []map[string]any
	}
	if err := json.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, r := range table.Rows {
		if r["published"] != nil {
			continue
		}
		ours++
		for _, name := range []string{"hr@10", "ndcg@10", "coverage@20", "seconds", "peak_mb"} {
			if _, ok := r[name].(float64); !ok {
				t.Errorf("%v has no %s", r, name)
			}
		}
	}
	if table.Protocol != "ml1m-loo" || ours != 4 {
		t.Errorf("got %d rows of ours of %s, want four of ml1m-loo", ours, table.Protocol)
	}
	out.Reset()
	if err := run(t.Context(), append(args, "--json"), &out, &log); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("--json without a file: got %v and %q, want JSON", err, out.String())
	}
	out.Reset()
	if err := run(t.Context(), append(args, "--markdown"), &out, &log); err != nil || !strings.Contains(out.String(), "| **popular** |") {
		t.Errorf("--markdown: got %v and %q, want a table", err, out.String())
	}
	if err := run(t.Context(), append(args, file), &out, &log); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a file without --json: got %v, want ErrInvalid", err)
	}
	if err := run(t.Context(), append(args, "--models", "eas"), &out, &log); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "ridge + ease") {
		t.Errorf("an unknown model: got %v, want ErrInvalid that names those there are", err)
	}
}

// TestEvalTypos measures the demo's own titles, all that an empty folder leaves:
// each of our paraphrases is of one of them.
func TestEvalTypos(t *testing.T) {
	args := []string{"eval", "--protocol", "typos", "--data", t.TempDir()}
	var out, log bytes.Buffer
	if err := run(t.Context(), append(args, "--json"), &out, &log); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Seed int
		Rows []struct {
			Name  string
			Items int
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	items := map[string]int{}
	for _, r := range report.Rows {
		items[r.Name] = r.Items
	}
	for name, want := range map[string]int{"demo titles, en: typos 5 %": 120, "demo titles, zh: homophones 20 %": 120, "demo titles, en: paraphrase, ours": 40, "demo titles, zh: paraphrase, ours": 40} {
		if items[name] != want {
			t.Errorf("%s: got %d items, want %d", name, items[name], want)
		}
	}
	out.Reset()
	if err := run(t.Context(), append(args, "--markdown", "--limit", "4"), &out, &log); err != nil || !strings.Contains(out.String(), "\n| demo titles, zh: no punctuation | 4 |") {
		t.Errorf("--markdown: got %v and %q, want a table of four titles", err, out.String())
	}
}
