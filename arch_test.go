package upnext_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// arrows says, for each room, which other rooms its code may import. A room
// stands for itself and everything below it unless a longer name is listed. A
// new arrow is a line here, argued for in the commit. Tests may import more:
// an embedded engine is the fake that they use.
var arrows = map[string][]string{
	".":          {},
	"filter":     {"."},
	"embed":      {"."},
	"index":      {".", "filter", "learn/kernel/quantised"},
	"understand": {".", "embed"},
	"infra":      {"."},
	"learn":      {"."},

	"embed/builtin":       {".", "embed"},
	"embed/cached":        {".", "embed"},
	"embed/centre":        {".", "embed"},
	"embed/endpoint":      {".", "embed"},
	"embed/huggingface":   {".", "embed", "embed/endpoint"},
	"embed/openai":        {".", "embed", "embed/endpoint"},
	"embed/custom":        {".", "embed", "embed/endpoint"},
	"understand/zeroshot": {".", "embed", "understand"},
	"infra/blob/dir":      {".", "infra/blob"},
	"infra/blob/minio":    {".", "infra/blob"},
	"index/milvus":        {".", "filter", "index"},

	"ingest":         {".", "embed", "index", "understand", "infra/blob", "infra/jobs"},
	"serve":          {".", "filter", "embed", "index", "learn", "learn/bundle", "learn/kernel", "learn/ranking", "learn/relevance"},
	"train":          {".", "infra/blob", "learn", "learn/blend", "learn/bundle", "learn/logit", "learn/ranking", "learn/relevance", "learn/split", "learn/artefact", "learn/collab", "learn/content", "learn/sequence", "train/registry", "train/tensorboard"},
	"train/archive":  {".", "infra/blob"},
	"train/datasets": {".", "learn", "learn/split"},
	"train/evals":    {".", "embed", "understand", "ingest/passages", "learn/relevance", "train/datasets"},
	"train/trials":   {".", "embed", "ingest/passages", "learn", "learn/artefact", "learn/attack", "learn/blend", "learn/collab", "learn/content", "learn/ranking", "learn/relevance", "learn/sequence", "learn/split", "train/datasets", "train/evals"},
	"bench":          {".", "index", "ingest/eventjson", "ingest/itemjson"},
	"serve/api":      {".", "filter", "serve", "serve/door", "ingest/itemjson", "ingest/eventjson", "ingest/viewerjson", "infra/blob"},
	"web":            {"."},
	"cmd/upnext":     {"*"},
}

// TestArchitecture parses the files' imports itself: go list would be answered
// from the test cache.
func TestArchitecture(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		checkFile(t, filepath.ToSlash(name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Fatalf("%d files read, want all of the project's", files)
	}
}

func checkFile(t *testing.T, name string) {
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	room := roomOf(path.Dir(name))
	if room == "" {
		t.Errorf("%s: its room is not in the table of arrows", name)
		return
	}
	for _, spec := range f.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if own := target == "upnext" || strings.HasPrefix(target, "upnext/"); own {
			target = strings.TrimPrefix(strings.TrimPrefix(target, "upnext"), "/")
			if target == "" {
				target = "."
			}
			if !mayImport(room, target) {
				t.Errorf("%s: %s may not import %s", name, room, target)
			}
		} else if room == "." && strings.Contains(strings.Split(target, "/")[0], ".") {
			t.Errorf("%s: the root package imports the standard library only, not %s", name, target)
		}
	}
}

// roomOf returns the longest listed name that dir is or lies below.
func roomOf(dir string) string {
	for ; ; dir = path.Dir(dir) {
		if _, ok := arrows[dir]; ok {
			return dir
		}
		if dir == "." {
			return ""
		}
	}
}

// mayImport reports whether a room may import a package: one of its own room,
// or one that its arrows name. An engine is named by no arrow but the wire's.
func mayImport(room, target string) bool {
	if room == "cmd/upnext" {
		return !strings.HasPrefix(target, "cmd/") || strings.HasPrefix(target, "cmd/upnext")
	}
	if room != "." && (target == room || strings.HasPrefix(target, room+"/")) {
		return !strings.HasPrefix(target, "serve/api") || room == "serve/api"
	}
	for _, a := range arrows[room] {
		if a == target {
			return true
		}
	}
	// Suites stand beside their port and are imported by tests alone, but may
	// use the ports themselves.
	return strings.HasSuffix(room, "test") && target == path.Dir(room)
}
