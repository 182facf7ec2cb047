package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRepairIndex damages a collection: serve says what helps, and with it
// everything is found again, while the damaged files are kept aside.
func TestRepairIndex(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if _, _, err := upnextRun(t, "ingest", writeFile(t, filepath.Join(t.TempDir(), "items.ndjson"), fewItems), "--data-dir", data); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(data, "index", "default", "*", "spec.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the index's collections: %v, %v, want one", files, err)
	}
	writeFile(t, files[0], `{"Dim":`)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if err = run(ctx, []string{"serve", "--data-dir", data, "--listen", "127.0.0.1:0"}, io.Discard, t.Output()); err == nil || !strings.Contains(err.Error(), "--repair-index") {
		t.Fatalf("serve over a damaged index: %v, want an error that names --repair-index", err)
	}
	s := launch(t, "serve", "--data-dir", data, "--repair-index")
	eventually(t, "all items are found again", func() string {
		var page answer
		s.post("/v1/recommend", `{"user_id":"u","count":10}`, &page)
		if len(page.Items) < 3 {
			return ""
		}
		return "yes"
	})
	var found answer
	s.post("/v1/search", `{"user_id":"u","count":3,"query":"comet over the pier"}`, &found)
	if len(found.Items) == 0 || found.Items[0].ID != "i3" {
		t.Errorf("search for the comet finds %v, want i3 first", found.ids())
	}
	s.stop()
	aside, err := filepath.Glob(filepath.Join(data, "index", "default", "*.damaged-*"))
	if err != nil || len(aside) != 1 {
		t.Errorf("moved aside: %v, %v, want one folder", aside, err)
	}
	launch(t, "serve", "--data-dir", data).stop() // and it starts without the flag
}
