package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestUpgradeBySettings names other encoders: their collection fills beside,
// answers once it is promoted, and the way back is open.
func TestUpgradeBySettings(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if _, _, err := upnextRun(t, "ingest", writeFile(t, filepath.Join(t.TempDir(), "items.ndjson"), fewItems), "--data-dir", data); err != nil {
		t.Fatal(err)
	}
	if _, _, err := upnextRun(t, "serve", "--data-dir", data, "--next-text-encoder", "builtin"); err == nil || !strings.Contains(err.Error(), "same encoders") {
		t.Fatalf("the same encoders once more: %v, want a refusal", err)
	}
	s := launch(t, "serve", "--data-dir", data, "--next-text-weight", "0.6", "--upgrade-rate", "100")
	var list struct {
		Collections []struct {
			Name, Role string
			Promoted   bool
			Searchable int
		}
	}
	promoted := func() string {
		s.get("/v1/collections", &list)
		for _, c := range list.Collections {
			if c.Promoted {
				return c.Role
			}
		}
		return ""
	}
	next := eventually(t, "the next collection is full", func() string {
		s.get("/v1/collections", &list)
		for _, c := range list.Collections {
			if c.Role == "next" && c.Searchable == 3 {
				return c.Name
			}
		}
		return ""
	})
	if got := promoted(); got != "main" {
		t.Fatalf("before the promotion the promoted one is %q, want main", got)
	}
	former := ""
	for _, c := range list.Collections {
		if c.Role == "main" {
			former = c.Name
		}
	}
	for _, step := range []struct{ name, role string }{{next, "next"}, {former, "main"}} {
		s.post("/v1/collections/"+step.name+"/promote", "{}", new(any))
		if got := promoted(); got != step.role {
			t.Errorf("after the promotion of %s the promoted one is %q, want %s", step.name, got, step.role)
		}
		var found answer
		s.post("/v1/search", `{"user_id":"u","count":3,"query":"comet over the pier"}`, &found)
		if len(found.Items) == 0 || found.Items[0].ID != "i3" {
			t.Errorf("search in %s finds %v, want i3 first", step.name, found.ids())
		}
	}
}
