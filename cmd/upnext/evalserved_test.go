package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"upnext"
	"upnext/train/trials"
)

// TestEvalServed fills a server over HTTP, has it train, and grades its pages:
// viewers of two kinds, whose newest films are of the kind that they have always
// liked. A second time the server is no longer empty, and that is said.
func TestEvalServed(t *testing.T) {
	const films, viewers, each = 40, 60, 16
	dir := t.TempDir()
	var items strings.Builder
	for i := range films {
		flags := []string{"|0|1", "|1|0"}[i%2]
		fmt.Fprintf(&items, "%d|Film %d (1995)|1-Jan-1995||http://example.org%s%s\n", i+1, i+1, flags, strings.Repeat("|0", 17))
	}
	var ratings bytes.Buffer
	w := gzip.NewWriter(&ratings)
	for v := range viewers {
		for i := range each {
			film := (v%2 + 2*((v/2*3+i*7)%(films/2))) % films
			fmt.Fprintf(w, "%d\t%d\t%d\t%d\n", v+1, film+1, 4+i%2, 880_000_000+1000*i)
		}
	}
	w.Close()
	for name, content := range map[string][]byte{"u.item": []byte(items.String()), "u.data.gz": ratings.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := spawn(t, "serve", "--data-dir", t.TempDir())
	s := trials.Served{URL: p.url + "/", Seed: 1, Connections: []int{2}, Seconds: 1}
	table, err := s.Run(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, r := range table.Rows {
		if r.Published {
			continue
		}
		ours++
		// Of 40 films 14 of the kind are left, 10 of them right: chance is .55.
		if r.Values["hr@10"] < .9 || r.Values["recall@20"] < .7 || r.Values["coverage@20"] < .5 {
			t.Errorf("%s: hit %.2f, recall %.2f, coverage %.2f", r.Model, r.Values["hr@10"], r.Values["recall@20"], r.Values["coverage@20"])
		}
		if r.Model == "upnext over HTTP" && r.Values["requests/s at 2"] < 1 {
			t.Errorf("%v requests a second", r.Values["requests/s at 2"])
		}
	}
	if ours != 4 || table.Cases != viewers {
		t.Errorf("%d rows of ours, %d cases", ours, table.Cases)
	}
	if _, err := s.Run(t.Context(), dir); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("filled again: got %v, want ErrConflict", err)
	}
}
