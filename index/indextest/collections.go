package indextest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
	"upnext/index"
)

func testCollections(t *testing.T, open func(t *testing.T) index.Collections, p pace) {
	vectors := Vectors(2, 20, 32)
	spec := index.Spec{Dim: 32, Fields: map[string]upnext.AttributeType{"kind": upnext.String}}

	t.Run("absent", func(t *testing.T) {
		c := open(t)
		_, _, err := c.Active(t.Context(), tenant)
		is(t, "active of nothing", err, upnext.ErrNotFound)
		is(t, "promote nothing", c.Promote(t.Context(), tenant, "none"), upnext.ErrNotFound)
		is(t, "drop nothing", c.Drop(t.Context(), tenant, "none"), upnext.ErrNotFound)
		if list, err := c.List(t.Context(), tenant); err != nil || len(list) != 0 {
			t.Errorf("list of nothing: %v, %v", list, err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		c := open(t)
		for _, name := range []string{"", "A", "a/b", "..", "a.b", "ä"} {
			_, err := c.Create(t.Context(), tenant, name, spec)
			is(t, "name "+name, err, upnext.ErrInvalid)
		}
		for _, bad := range []index.Spec{{Dim: 0}, {Dim: -1}, {Dim: 8, Fields: map[string]upnext.AttributeType{"x": "colour"}}} {
			_, err := c.Create(t.Context(), tenant, "main", bad)
			is(t, "spec", err, upnext.ErrInvalid)
		}
		made(t, c, "main", spec)
		_, err := c.Create(t.Context(), tenant, "main", index.Spec{Dim: 33})
		is(t, "another dim", err, upnext.ErrConflict)
	})
	t.Run("create fill promote drop", func(t *testing.T) {
		c := open(t)
		old := made(t, c, "v1", spec)
		put(t, old, entries(vectors[:5])...)
		if _, _, err := c.Active(t.Context(), tenant); err == nil {
			t.Errorf("a collection is active that was not promoted")
		}
		promote(t, c, "v1")
		put(t, made(t, c, "v2", spec), entries(vectors)...)
		active(t, c, "v1", 5)
		promote(t, c, "v2")
		active(t, c, "v2", 20)
		is(t, "drop of the promoted", c.Drop(t.Context(), tenant, "v2"), upnext.ErrConflict)

		list, err := c.List(t.Context(), tenant)
		if err != nil || len(list) != 2 {
			t.Fatalf("list: %v, %v", list, err)
		}
		for i, want := range []index.Info{{Name: "v1", Len: 5}, {Name: "v2", Len: 20, Promoted: true}} {
			got := list[i]
			if got.Name != want.Name || got.Len != want.Len || got.Promoted != want.Promoted || got.Spec.Dim != 32 || got.Spec.Fields["kind"] != upnext.String {
				t.Errorf("list %d: got %+v, want %+v of %+v", i, got, want, spec)
			}
		}
		if err := c.Drop(t.Context(), tenant, "v1"); err != nil {
			t.Fatalf("drop: %v", err)
		}
		is(t, "drop again", c.Drop(t.Context(), tenant, "v1"), upnext.ErrNotFound)
		is(t, "promote the dropped", c.Promote(t.Context(), tenant, "v1"), upnext.ErrNotFound)
		if got := all(t, made(t, c, "v1", spec)); len(got) != 0 {
			t.Errorf("a collection made again under a dropped one's name has %d ids", len(got))
		}
	})
	t.Run("opened again and widened", func(t *testing.T) {
		c := open(t)
		put(t, made(t, c, "main", spec), entries(vectors)...)
		more := index.Spec{Dim: 32, Fields: map[string]upnext.AttributeType{"year": upnext.Number}}
		if got := all(t, made(t, c, "main", more)); len(got) != 20 {
			t.Errorf("a present collection created again has %d ids, want 20", len(got))
		}
		list, err := c.List(t.Context(), tenant)
		if err != nil || len(list) != 1 || len(list[0].Spec.Fields) != 2 {
			t.Errorf("list after widening: %+v, %v, want both fields", list, err)
		}
	})
	t.Run("tenants are apart", func(t *testing.T) {
		c := open(t)
		put(t, made(t, c, "main", spec), entries(vectors)...)
		promote(t, c, "main")
		for _, other := range []upnext.Tenant{"other", "Tests", "tests/main", "..", "a b", "租户"} {
			_, _, err := c.Active(t.Context(), other)
			is(t, "active of tenant "+string(other), err, upnext.ErrNotFound)
			x, err := c.Create(t.Context(), other, "main", spec)
			if err != nil {
				t.Fatalf("create for tenant %s: %v", other, err)
			}
			if got := all(t, x); len(got) != 0 {
				t.Errorf("tenant %s sees %d ids of another", other, len(got))
			}
		}
	})
	t.Run("promotion under searches", func(t *testing.T) {
		c := open(t)
		testPromotion(t, c, c, spec, vectors, p.promotions)
	})
}

// TestPromotionElsewhere checks that one process' promotions fail no search of
// another, which sees the last of them soon. Both are of the same collections.
func TestPromotionElsewhere(t *testing.T, c, other index.Collections) {
	spec := index.Spec{Dim: 32, Fields: map[string]upnext.AttributeType{"kind": upnext.String}}
	testPromotion(t, c, other, spec, Vectors(2, 20, 32), remote.promotions)
	promote(t, c, "v2")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		name, _, err := other.Active(t.Context(), tenant)
		if err == nil && name == "v2" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("active elsewhere 10 s after a promotion of v2: %s, %v", name, err)
		}
	}
}

// testPromotion promotes to and fro while searches run, of the same
// collections opened by another: none may fail.
func testPromotion(t *testing.T, c, other index.Collections, spec index.Spec, vectors [][]float32, promotions int) {
	put(t, made(t, c, "v1", spec), entries(vectors)...)
	put(t, made(t, c, "v2", spec), entries(vectors)...)
	promote(t, c, "v1")
	var done atomic.Bool
	var searching sync.WaitGroup
	for range 3 {
		searching.Go(func() {
			for !done.Load() {
				name, x, err := other.Active(t.Context(), tenant)
				if err != nil {
					t.Errorf("active while promoting: %v", err)
					return
				}
				hits, err := x.Search(t.Context(), index.Query{Vectors: vectors[:1], K: 5})
				if err != nil || len(hits) != 1 || len(hits[0]) != 5 {
					t.Errorf("search of %s while promoting: %v, %v", name, hits, err)
					return
				}
			}
		})
	}
	for range promotions {
		promote(t, c, "v2")
		promote(t, c, "v1")
	}
	done.Store(true)
	searching.Wait()
}

func promote(t *testing.T, c index.Collections, name string) {
	t.Helper()
	if err := c.Promote(t.Context(), tenant, name); err != nil {
		t.Fatalf("promote %s: %v", name, err)
	}
}

// active checks which collection is, and that it has that many entries.
func active(t *testing.T, c index.Collections, want string, length int) {
	t.Helper()
	name, x, err := c.Active(t.Context(), tenant)
	if err != nil || name != want {
		t.Fatalf("active: got %s, %v, want %s", name, err, want)
	}
	if got := len(all(t, x)); got != length {
		t.Errorf("active %s has %d entries, want %d", name, got, length)
	}
}
