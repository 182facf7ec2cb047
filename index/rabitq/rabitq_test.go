package rabitq

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/filter"
	"upnext/index"
	"upnext/index/indextest"
)

func TestCollections(t *testing.T) {
	indextest.Test(t, func(t *testing.T) index.Collections { return opened(t, t.TempDir()) })
}

func TestReopen(t *testing.T) {
	indextest.TestReopen(t, func(t *testing.T, dir string) (index.Collections, func() error) {
		c, err := Open(dir, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		return c, c.Close
	})
}

// opened opens collections and closes them after the test.
func opened(t testing.TB, dir string) *Collections {
	t.Helper()
	c, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// coded is a collection of n entries with codes, some of them deleted.
func coded(t *testing.T, n int) (dir string, c *collection) {
	t.Helper()
	dir, c = fresh(t, limits{codes: n / 2, log: 1 << 20})
	vectors := indextest.Vectors(31, n, testSpec.Dim)
	for i := range vectors {
		e := entry(i, i%7)
		e.Vector = vectors[i]
		if err := c.Upsert(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			if err := c.Delete(t.Context(), entry(i/2, 0).ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if c.state.codes == nil {
		t.Fatal("there are no codes")
	}
	return dir, c
}

// answers asks in all the ways that there are.
func answers(t *testing.T, c *collection) [][][]index.Hit {
	t.Helper()
	var list [][][]index.Hit
	queries := indextest.VectorsOf(31, 32, 10, testSpec.Dim)
	for _, tree := range []filter.Node{
		nil,
		filter.Compare{Field: "kind", Op: filter.Eq, Value: "live"},
		filter.Compare{Field: "year", Op: filter.Eq, Value: 3.0},
		filter.And{filter.Compare{Field: "year", Op: filter.Ge, Value: 1.0}, filter.Not{Of: filter.Compare{Field: "year", Op: filter.Gt, Value: 5.0}}},
	} {
		for _, k := range []int{1, 10, 50} {
			hits, err := c.searchTree(queries, k, 0, tree)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, hits)
		}
	}
	return list
}

// The same changes give the same answers: another time, after reopening from
// the snapshot, and after reopening from the log.
func TestDeterministic(t *testing.T) {
	dir, c := coded(t, 1500)
	want := answers(t, c)
	_, other := coded(t, 1500)
	if got := answers(t, other); !reflect.DeepEqual(got, want) {
		t.Errorf("the same changes again: got other answers")
	}
	if err := errors.Join(other.close(errClosed, false), c.close(errClosed, false)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		again, err := openCollection(dir, kernels()[0], usual, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if got := answers(t, again); !reflect.DeepEqual(got, want) {
			t.Errorf("reopened: got other answers")
		}
		if err := errors.Join(again.checkpoint(), again.close(errClosed, false)); err != nil {
			t.Fatal(err)
		}
	}
}

// What one kernel wrote another answers from, and alike.
func TestKernelsAnswerAlike(t *testing.T) {
	dir, c := coded(t, 1500)
	want := answers(t, c)
	if err := c.close(errClosed, false); err != nil {
		t.Fatal(err)
	}
	for _, k := range kernels() {
		c, err := openCollection(dir, k, usual, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range answers(t, c) {
			for j := range got {
				same := slices.EqualFunc(got[j], want[i][j], func(a, b index.Hit) bool {
					return a.ID == b.ID && a.Score-b.Score < 1e-6 && b.Score-a.Score < 1e-6
				})
				if !same {
					t.Errorf("kernel %s, question %d, vector %d: got %v, want %v", k.name, i, j, got[j], want[i][j])
				}
			}
		}
		if err := c.close(errClosed, false); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenTwice(t *testing.T) {
	dir := t.TempDir()
	opened(t, dir)
	if _, err := Open(dir, slog.New(slog.DiscardHandler)); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("opened twice: got error %v, want %v", err, upnext.ErrConflict)
	}
}

func TestClosed(t *testing.T) {
	c, err := Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.Create(t.Context(), "t", "main", testSpec)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Fatalf("close twice: %v", err)
	}
	_, searched := x.Search(t.Context(), index.Query{Vectors: [][]float32{entry(0, 0).Vector}, K: 1})
	_, listed := c.List(t.Context(), "t")
	for what, err := range map[string]error{"upsert": x.Upsert(t.Context(), entry(1, 1)), "search": searched, "list": listed} {
		if !errors.Is(err, upnext.ErrUnavailable) {
			t.Errorf("%s after close: got error %v, want %v", what, err, upnext.ErrUnavailable)
		}
	}
}

// A damaged collection is an error that says where, each time, and no other
// tenant's concern.
func TestDamagedCollection(t *testing.T) {
	dir := t.TempDir()
	c, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Create(t.Context(), "broken", "main", testSpec); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "broken", "main", specFile), []byte("{"))
	half := filepath.Join(dir, "fine", unfinished+"main")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	again := opened(t, dir)
	for range 2 {
		if _, err := again.List(t.Context(), "broken"); !errors.Is(err, upnext.ErrUnavailable) || !strings.Contains(err.Error(), "main") {
			t.Errorf("list of a damaged collection: got error %v, want one that names it", err)
		}
	}
	if list, err := again.List(t.Context(), "fine"); err != nil || len(list) != 0 {
		t.Errorf("list of another tenant: %v, %v", list, err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an unfinished collection's folder is still there: %v", err)
	}
}

func TestEscape(t *testing.T) {
	long := strings.Repeat("x", 300)
	seen := map[string]string{}
	for _, name := range []string{"", ".", "..", "a", "A", "%41", "a/b", "a_b", "a-b", "租户", long, long + "y"} {
		got := escape(name)
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q are both %q", name, other, got)
		}
		seen[got] = name
		if got == "" || len(got) > longestName || strings.ContainsAny(got, "./\\") || got != strings.ToLower(got) {
			t.Errorf("%q becomes %q, which is no folder's name everywhere", name, got)
		}
	}
}
