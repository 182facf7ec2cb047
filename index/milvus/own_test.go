package milvus

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/index"
	"upnext/index/indextest"
	"upnext/infra/enginetest"
)

// Another process promotes while this one searches.
func TestPromotionElsewhere(t *testing.T) {
	for name, variable := range servers {
		t.Run(name, func(t *testing.T) {
			c := fresh(t, enginetest.URL(t, variable))
			other := opened(t, enginetest.URL(t, variable)+"?prefix="+c.prefix)
			t.Cleanup(func() { _ = other.Close() })
			indextest.TestPromotionElsewhere(t, c, other)
		})
	}
}

// What one process wrote, another that opens the collections later has: spec,
// promotion, all ids over several pages, and nothing of what was dropped.
func TestOpenedLater(t *testing.T) {
	for name, variable := range servers {
		t.Run(name, func(t *testing.T) {
			c := fresh(t, enginetest.URL(t, variable))
			spec := index.Spec{Dim: 8, Fields: map[string]upnext.AttributeType{"kind": upnext.String}}
			n := 2*idsAtOnce + 3
			fill(t, c, "main", spec, n)
			if err := c.Promote(t.Context(), "t", "main"); err != nil {
				t.Fatal(err)
			}
			other := opened(t, enginetest.URL(t, variable)+"?prefix="+c.prefix)
			t.Cleanup(func() { _ = other.Close() })
			list, err := other.List(t.Context(), "t")
			if err != nil || len(list) != 1 || list[0].Len != n || !list[0].Promoted || list[0].Spec.Fields["kind"] != upnext.String {
				t.Fatalf("list elsewhere: %+v, %v", list, err)
			}
			_, x, err := other.Active(t.Context(), "t")
			if err != nil {
				t.Fatal(err)
			}
			checkAll(t, x, n)
			if _, err := other.Create(t.Context(), "t", "main", index.Spec{Dim: 9}); !errors.Is(err, upnext.ErrConflict) {
				t.Errorf("another dim elsewhere: got %v, want %v", err, upnext.ErrConflict)
			}
		})
	}
}

// While the server is asked anew what is promoted, and while it is away, the
// last answer does, but not for ever.
func TestActiveBelieved(t *testing.T) {
	c := fresh(t, enginetest.URL(t, servers["lite"]))
	fill(t, c, "main", index.Spec{Dim: 4}, 1)
	if err := c.Promote(t.Context(), "t", "main"); err != nil {
		t.Fatal(err)
	}
	away := opened(t, enginetest.URL(t, servers["lite"])+"?prefix="+c.prefix)
	if _, _, err := away.Active(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	agedBy := func(age time.Duration) error {
		away.mu.Lock()
		is := away.active["t"]
		is.until = time.Now().Add(-age)
		away.active["t"] = is
		away.mu.Unlock()
		_, _, err := away.Active(t.Context(), "t")
		return err
	}
	if err := agedBy(activeYet / 2); err != nil {
		t.Errorf("active soon after: %v", err)
	}
	if err := agedBy(activeYet + time.Second); !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("active long after: %v, want %v", err, upnext.ErrUnavailable)
	}
	away.asking.Wait()
}

// A read that the server refuses once, as 2.3.5 does while a segment grows, is
// made again; one that it always refuses fails with what it said.
func TestReadAgain(t *testing.T) {
	for name, variable := range servers {
		t.Run(name, func(t *testing.T) {
			c := fresh(t, enginetest.URL(t, variable))
			x := fill(t, c, "main", index.Spec{Dim: 4}, 1).(*Index)
			calls := 0
			refusing := func(times int) error {
				calls = 0
				return c.read(t.Context(), "search", x.collection, func(context.Context) error {
					if calls++; calls <= times {
						return &statusError{code: 1, reason: "segment grows"}
					}
					return nil
				})
			}
			if err := refusing(1); err != nil || calls != 2 {
				t.Errorf("refused once: %d calls, %v", calls, err)
			}
			var said *statusError
			if err := refusing(1000); !errors.Is(err, upnext.ErrUnavailable) || !errors.As(err, &said) || calls != 1+len(againAfter) {
				t.Errorf("always refused: %d calls, %v", calls, err)
			}
		})
	}
}

func fill(t *testing.T, c *Collections, name string, spec index.Spec, n int) index.Index {
	t.Helper()
	x, err := c.Create(t.Context(), "t", name, spec)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]index.Entry, n)
	for i, v := range indextest.Vectors(71, n, spec.Dim) {
		list[i] = index.Entry{ID: upnext.ItemID(slog.IntValue(i).String()), Vector: v, Fields: upnext.Fields{"kind": "video"}}
	}
	for part := range slices.Chunk(list, 2000) {
		if err := x.Upsert(t.Context(), part...); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func checkAll(t *testing.T, x index.Index, n int) {
	t.Helper()
	seen := map[upnext.ItemID]bool{}
	for id, err := range x.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[id] {
			t.Fatalf("%s is twice among all", id)
		}
		seen[id] = true
	}
	if len(seen) != n {
		t.Errorf("all: %d ids, want %d", len(seen), n)
	}
}

// After the server was killed and started again, the same client goes on:
// nothing that was acknowledged is lost. UPNEXT_TEST_MILVUS_RESTART is a shell
// command that kills the standalone server and starts it on the same data.
func TestServerRestart(t *testing.T) {
	restart := os.Getenv("UPNEXT_TEST_MILVUS_RESTART")
	if restart == "" {
		t.Skip("UPNEXT_TEST_MILVUS_RESTART names no command")
	}
	c := fresh(t, enginetest.URL(t, "UPNEXT_TEST_MILVUS"))
	spec := index.Spec{Dim: 8, Fields: map[string]upnext.AttributeType{"kind": upnext.String}}
	x := fill(t, c, "main", spec, 3000)
	if err := c.Promote(t.Context(), "t", "main"); err != nil {
		t.Fatal(err)
	}
	if err := x.Delete(t.Context(), "7"); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", restart).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", restart, err, out)
	}
	began := time.Now()
	query := index.Query{Vectors: indextest.Vectors(71, 8, 8)[:1], K: 10}
	for {
		hits, err := x.Search(t.Context(), query)
		if err == nil && len(hits[0]) == 10 && hits[0][0].ID == "0" {
			break
		}
		if err != nil && !errors.Is(err, upnext.ErrUnavailable) {
			t.Fatalf("search while the server starts: %v, want %v", err, upnext.ErrUnavailable)
		}
		if time.Since(began) > 2*time.Minute {
			t.Fatalf("no answer two minutes after the restart: %v, %v", hits, err)
		}
	}
	t.Logf("first answer %v after the restart", time.Since(began))
	checkAll(t, x, 2999)
	if name, _, err := c.Active(t.Context(), "t"); err != nil || name != "main" {
		t.Errorf("active after the restart: %s, %v", name, err)
	}
	if err := x.Upsert(t.Context(), index.Entry{ID: "7", Vector: query.Vectors[0]}); err != nil {
		t.Errorf("upsert after the restart: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for address, want := range map[string]error{
		"":                                    upnext.ErrInvalid,
		"milvus:127.0.0.1":                    upnext.ErrInvalid,
		"http://127.0.0.1:1":                  upnext.ErrInvalid,
		"milvus://u:p@127.0.0.1:1":            upnext.ErrInvalid,
		"milvus://127.0.0.1:1?prefix=Capital": upnext.ErrInvalid,
	} {
		if _, err := Open(t.Context(), address, slog.New(slog.DiscardHandler)); !errors.Is(err, want) {
			t.Errorf("open %q: got error %v, want %v", address, err, want)
		}
	}
}

func TestNamesComeBack(t *testing.T) {
	c := &Collections{prefix: "upnext"}
	for _, name := range []string{"main", "a-b", "a-d5", "--", "0"} {
		got, dim, ok := c.collectionOf(c.collectionName(name, 384))
		if !ok || got != name || dim != 384 {
			t.Errorf("%q comes back as %q of %d components, %v", name, got, dim, ok)
		}
	}
	for _, id := range []upnext.ItemID{"a", "a/b", `"`, "\xff", "%41", "租户"} {
		if got, err := idOf(primary("t/x", string(id))); err != nil || got != id {
			t.Errorf("%q comes back as %q, %v", id, got, err)
		}
	}
}
