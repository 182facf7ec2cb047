package rabitq

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"upnext"
	"upnext/filter"
	"upnext/index"
	"upnext/index/flat"
	"upnext/index/indextest"
)

var testSpec = index.Spec{Dim: 12, Fields: map[string]upnext.AttributeType{"kind": upnext.String, "tags": upnext.Strings, "year": upnext.Number}}

// small makes all ways of a collection be come by with some dozen entries.
var small = limits{codes: 40, log: 4 << 10}

func openSmall(dir string) (*collection, error) {
	return openCollection(dir, kernels()[0], small, slog.New(slog.DiscardHandler))
}

// fresh is a new collection's folder and the collection.
func fresh(t testing.TB, l limits) (string, *collection) {
	t.Helper()
	dir := t.TempDir()
	if err := writeSpec(dir, testSpec); err != nil {
		t.Fatal(err)
	}
	c, err := openCollection(dir, kernels()[0], l, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return dir, c
}

// entry is number i with vector v, always the same.
func entry(i, v int) index.Entry {
	return index.Entry{
		ID:     upnext.ItemID(fmt.Sprintf("e%03d", i)),
		Vector: indextest.Vectors(uint64(v+1), 1, testSpec.Dim)[0],
		Fields: upnext.Fields{"kind": []string{"video", "live"}[v%2], "tags": []string{"a", fmt.Sprint(v % 5)}, "year": float64(v)},
	}
}

// content describes all that a collection holds, for comparison.
func content(t testing.TB, c *collection) string {
	t.Helper()
	var b strings.Builder
	ids := []upnext.ItemID{}
	for id, err := range c.All(t.Context()) {
		if err != nil {
			t.Fatalf("all: %v", err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	vectors, err := c.Vectors(t.Context(), ids...)
	if err != nil {
		t.Fatalf("vectors: %v", err)
	}
	for i, id := range ids {
		fmt.Fprintln(&b, id, vectors[i])
	}
	for _, tree := range []filter.Node{
		nil, filter.Compare{Field: "kind", Op: filter.Eq, Value: "live"}, filter.In{Field: "tags", Values: []any{"1", "3"}},
		filter.Compare{Field: "year", Op: filter.Gt, Value: 3.0}, filter.Null{Field: "year"},
	} {
		hits, err := c.searchTree([][]float32{entry(0, 0).Vector}, 1000, 0, tree)
		if err != nil {
			t.Fatalf("search: %v", err)
		}
		fmt.Fprintln(&b, tree, hits)
	}
	return b.String()
}

// reopened opens a copy of a folder and returns what it holds.
func reopened(t testing.TB, dir string) (string, error) {
	t.Helper()
	c, err := openSmall(dir)
	if err != nil {
		return "", err
	}
	held := content(t, c)
	return held, c.close(errClosed, false)
}

func copied(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// moments makes changes and keeps, after each, a copy of the folder and what
// the collection held.
func moments(t *testing.T, l limits) (dirs, held []string) {
	dir, c := fresh(t, l)
	keep := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		dirs, held = append(dirs, copied(t, dir)), append(held, content(t, c))
	}
	keep(nil)
	keep(c.Upsert(t.Context(), entry(1, 1), entry(2, 2)))
	keep(c.Upsert(t.Context(), entry(1, 3)))
	keep(c.Delete(t.Context(), entry(2, 0).ID))
	keep(c.Upsert(t.Context(), entry(3, 4), entry(4, 5), entry(2, 6)))
	keep(c.Delete(t.Context(), entry(1, 0).ID, entry(4, 0).ID))
	if err := c.close(errClosed, false); err != nil {
		t.Fatal(err)
	}
	return dirs, held
}

// A crash may leave any part of the frame that was being written. Whatever
// it left, the collection opens with all that was acknowledged before.
func TestTornLogEnd(t *testing.T) {
	dirs, held := moments(t, usual)
	for i := range len(dirs) - 1 {
		before := read(t, numbered(dirs[i], logPrefix, 0))
		after := read(t, numbered(dirs[i+1], logPrefix, 0))
		dir := copied(t, dirs[i])
		for cut := len(before); cut <= len(after); cut++ {
			write(t, numbered(dir, logPrefix, 0), after[:cut])
			want := held[i]
			if cut == len(after) {
				want = held[i+1]
			}
			for again := range 2 { // the second opening finds the end mended
				got, err := reopened(t, dir)
				if err != nil {
					t.Fatalf("change %d, cut at byte %d of %d, opening %d: %v", i, cut, len(after), again, err)
				}
				if got != want {
					t.Fatalf("change %d, cut at byte %d of %d, opening %d: got\n%s\nwant\n%s", i, cut, len(after), again, got, want)
				}
			}
		}
		// The length of a file may reach the disk before what is in it.
		dir = copied(t, dirs[i])
		write(t, numbered(dir, logPrefix, 0), append(slices.Clone(before), make([]byte, len(after)-len(before))...))
		if got, err := reopened(t, dir); err != nil || got != held[i] {
			t.Fatalf("change %d, zeros at the end: %v, got\n%s\nwant\n%s", i, err, got, held[i])
		}
	}
}

// A damaged byte that a whole frame follows was acknowledged: to open without
// it would lose it silently.
func TestDamagedLogIsRefused(t *testing.T) {
	dirs, _ := moments(t, usual)
	last := dirs[len(dirs)-1]
	whole := read(t, numbered(last, logPrefix, 0))
	beforeLast := len(read(t, numbered(dirs[len(dirs)-2], logPrefix, 0)))
	dir := copied(t, last)
	for at := range beforeLast {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0x10
		write(t, numbered(dir, logPrefix, 0), damaged)
		if _, err := reopened(t, dir); err == nil || !strings.Contains(err.Error(), logPrefix) {
			t.Fatalf("damage at byte %d of %d: got error %v, want one that names the log", at, len(whole), err)
		}
	}
}

func TestDamagedSnapshotIsRefused(t *testing.T) {
	dir, c := fresh(t, small)
	for i := range 60 {
		if err := c.Upsert(t.Context(), entry(i, i)); err != nil {
			t.Fatal(err)
		}
	}
	path := numbered(dir, snapshotPrefix, c.generation)
	if err := c.close(errClosed, false); err != nil {
		t.Fatal(err)
	}
	whole := read(t, path)
	if len(whole) == 0 {
		t.Fatal("no snapshot was made")
	}
	for at := 0; at < len(whole); at += 37 {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0x10
		write(t, path, damaged)
		if _, err := reopened(t, dir); err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("damage at byte %d of %d: got error %v, want one that names %s", at, len(whole), err, path)
		}
	}
	write(t, path, whole)
	vectors := filepath.Join(dir, vectorsFile)
	if err := os.Truncate(vectors, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := reopened(t, dir); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Fatalf("cut-off vectors: got error %v, want one that says so", err)
	}
}

// Between the steps of a checkpoint a crash leaves old and new files together.
func TestCrashWithinCheckpoint(t *testing.T) {
	dir, c := fresh(t, usual)
	for i := range 50 {
		if err := c.Upsert(t.Context(), entry(i%30, i)); err != nil {
			t.Fatal(err)
		}
	}
	want := content(t, c)
	before := copied(t, dir)
	if err := c.checkpoint(); err != nil {
		t.Fatal(err)
	}
	after := copied(t, dir)
	if err := c.close(errClosed, false); err != nil {
		t.Fatal(err)
	}
	oldLog, snapshot := read(t, numbered(before, logPrefix, 0)), read(t, numbered(after, snapshotPrefix, 1))
	for what, files := range map[string]map[string][]byte{
		"before all":                 {"log-0000000000000000": oldLog},
		"new log made":               {"log-0000000000000000": oldLog, "log-0000000000000001": nil},
		"snapshot half written":      {"log-0000000000000000": oldLog, "log-0000000000000001": nil, "snapshot-0000000000000001.tmp": snapshot[:len(snapshot)/2]},
		"snapshot whole":             {"log-0000000000000000": oldLog, "log-0000000000000001": nil, "snapshot-0000000000000001": snapshot},
		"old log removed":            {"log-0000000000000001": nil, "snapshot-0000000000000001": snapshot},
		"old log removed, no new":    {"snapshot-0000000000000001": snapshot},
		"old snapshot still to come": {"log-0000000000000001": nil, "snapshot-0000000000000001": snapshot, "snapshot-0000000000000002.tmp": {1}},
	} {
		crashed := copied(t, after)
		for _, name := range []string{"log-0000000000000001", "snapshot-0000000000000001"} {
			if err := os.Remove(filepath.Join(crashed, name)); err != nil {
				t.Fatal(err)
			}
		}
		for name, b := range files {
			write(t, filepath.Join(crashed, name), b)
		}
		for range 2 {
			if got, err := reopened(t, crashed); err != nil || got != want {
				t.Errorf("%s: %v, got\n%s\nwant\n%s", what, err, got, want)
			}
		}
	}
	gap := copied(t, after)
	write(t, numbered(gap, logPrefix, 3), nil)
	if _, err := reopened(t, gap); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a log is missing between others: got error %v, want one that says so", err)
	}
}

// A log that cannot be written changes nothing.
func TestFailedWriteChangesNothing(t *testing.T) {
	dir, c := fresh(t, usual)
	if err := c.Upsert(t.Context(), entry(1, 1)); err != nil {
		t.Fatal(err)
	}
	want := content(t, c)
	writable := c.log.file
	readOnly, err := os.Open(writable.Name())
	if err != nil {
		t.Fatal(err)
	}
	c.log.file = readOnly
	for range 2 {
		if err := c.Upsert(t.Context(), entry(2, 2)); !errors.Is(err, upnext.ErrUnavailable) {
			t.Errorf("upsert without a log: got error %v, want %v", err, upnext.ErrUnavailable)
		}
		if err := c.Delete(t.Context(), entry(1, 1).ID); !errors.Is(err, upnext.ErrUnavailable) {
			t.Errorf("delete without a log: got error %v, want %v", err, upnext.ErrUnavailable)
		}
	}
	if got := content(t, c); got != want {
		t.Errorf("a refused change shows: got\n%s\nwant\n%s", got, want)
	}
	if err := errors.Join(c.close(errClosed, true), writable.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := reopened(t, dir); err != nil || got != want {
		t.Errorf("reopened: %v, got\n%s\nwant\n%s", err, got, want)
	}
}

// Where a region cannot grow, as on a full disk, nothing is written either.
func TestFailedGrowthChangesNothing(t *testing.T) {
	_, c := fresh(t, usual)
	if err := c.Upsert(t.Context(), entry(1, 1)); err != nil {
		t.Fatal(err)
	}
	want, logged := content(t, c), c.log.size
	many := make([]index.Entry, roomUnit)
	for i := range many {
		many[i] = entry(i+2, i)
	}
	for _, r := range []*region{c.state.vectors, c.state.rows} {
		writable := r.file
		readOnly, err := os.Open(writable.Name())
		if err != nil {
			t.Fatal(err)
		}
		r.file = readOnly
		if err := c.Upsert(t.Context(), many...); !errors.Is(err, upnext.ErrUnavailable) || !strings.Contains(err.Error(), writable.Name()) {
			t.Errorf("upsert that cannot grow %s: got error %v, want %v that names it", writable.Name(), err, upnext.ErrUnavailable)
		}
		if got := content(t, c); got != want || c.log.size != logged {
			t.Errorf("a refused change shows: %d bytes logged, %d before, got\n%s\nwant\n%s", c.log.size, logged, got, want)
		}
		r.file = writable
		if err := readOnly.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Upsert(t.Context(), many...); err != nil {
		t.Errorf("upsert after there is place again: %v", err)
	}
	if got := c.info().Len; got != roomUnit+1 {
		t.Errorf("then there are %d entries, want %d", got, roomUnit+1)
	}
	if err := c.close(errClosed, false); err != nil {
		t.Fatal(err)
	}
}

// Any sequence of changes, snapshots and reopenings holds what flat holds.
func TestReopenedSameAsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, c := fresh(t, small)
		exact, err := flat.New().Create(t.Context(), "t", "main", testSpec)
		if err != nil {
			rt.Fatal(err)
		}
		must := func(errs ...error) {
			if err := errors.Join(errs...); err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"upsert": func(rt *rapid.T) {
				first, n := rapid.IntRange(0, 60).Draw(rt, "first"), rapid.IntRange(1, 20).Draw(rt, "count")
				list := make([]index.Entry, n)
				for i := range list {
					list[i] = entry(first+i, rapid.IntRange(0, 99).Draw(rt, "vector"))
				}
				must(c.Upsert(t.Context(), list...), exact.Upsert(t.Context(), list...))
			},
			"delete": func(rt *rapid.T) {
				id := entry(rapid.IntRange(0, 80).Draw(rt, "id"), 0).ID
				must(c.Delete(t.Context(), id), exact.Delete(t.Context(), id))
			},
			"reopen": func(rt *rapid.T) {
				want := content(t, c)
				must(c.close(errClosed, rapid.Bool().Draw(rt, "snapshot")))
				var err error
				if c, err = openSmall(dir); err != nil {
					rt.Fatalf("reopen: %v", err)
				}
				if got := content(t, c); got != want {
					rt.Fatalf("reopened: got\n%s\nwant\n%s", got, want)
				}
			},
			"": func(rt *rapid.T) {
				q := index.Query{Vectors: [][]float32{entry(0, 7).Vector}, K: 100}
				got, err := c.Search(t.Context(), q)
				want, exactErr := exact.Search(t.Context(), q)
				must(err, exactErr)
				if len(got[0]) != len(want[0]) {
					rt.Fatalf("got %d hits, want %d", len(got[0]), len(want[0]))
				}
				for i := range want[0] {
					if d := got[0][i].Score - want[0][i].Score; d > 1e-5 || d < -1e-5 {
						rt.Fatalf("hit %d: got %v, want %v", i, got[0][i], want[0][i])
					}
				}
			},
		})
		must(c.close(errClosed, false))
	})
}
