package ingest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/index/flat"
	"upnext/ingest"
)

// TestSweepBringsBackWhatTheIndexLost: marks in SQL are not believed.
func TestSweepBringsBackWhatTheIndexLost(t *testing.T) {
	w := newWorld(t)
	var items []upnext.Item
	for i := range 600 { // more than one page of ids
		items = append(items, item(fmt.Sprintf("i%03d", i), fmt.Sprintf("title t%03d", i)))
	}
	put(t, w, items...)
	w.Collections = flat.New() // as if the folder had been removed
	before := w.text.calls()
	if err := w.Sweep(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if got := len(w.found(t, "title", 1000)); got != len(items) {
		t.Errorf("%d items are found, want %d", got, len(items))
	}
	if got := w.text.calls() - before; got != len(items) {
		t.Errorf("%d texts embedded, want %d", got, len(items))
	}
	// A part of it: the rest is not embedded again.
	_, in, err := w.Collections.Active(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Delete(t.Context(), "i003", "i599"); err != nil {
		t.Fatal(err)
	}
	before = w.text.calls()
	if err := w.Sweep(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if got := w.found(t, "title t599", 1); !slices.Equal(got, []upnext.ItemID{"i599"}) || w.text.calls()-before != 2 {
		t.Errorf("search finds %v and %d texts were embedded, want i599 and the two that were lost", got, w.text.calls()-before)
	}
}

// TestSweeperFinishesEveryTenant: what an engine's absence left half way comes
// in by itself, also of a tenant that nobody named.
func TestSweeperFinishesEveryTenant(t *testing.T) {
	w := newWorld(t)
	w.OnChange = nil
	w.text.err = fmt.Errorf("the encoder is away: %w", upnext.ErrUnavailable)
	for _, of := range []upnext.Tenant{tenant, "other"} {
		if _, err := w.Put(t.Context(), of, item("a", "bread")); err == nil {
			t.Fatal("put without an encoder: no error")
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	s := &ingest.Sweeper{Pipeline: w.Pipeline, Soon: 10 * time.Millisecond}
	s.First(ctx) // in vain
	go func() { ran <- s.Run(ctx) }()
	w.text.mu.Lock()
	w.text.err = nil
	w.text.mu.Unlock()
	for _, of := range []upnext.Tenant{tenant, "other"} {
		eventually(t, fmt.Sprintf("the item of %s is searchable", of), func() bool {
			_, in, err := w.Collections.Active(ctx, of)
			if err != nil {
				return false
			}
			vectors, err := in.Vectors(ctx, "a")
			return err == nil && vectors[0] != nil
		})
	}
	// And later, while it runs.
	w.text.mu.Lock()
	w.text.err = fmt.Errorf("the encoder is away: %w", upnext.ErrUnavailable)
	w.text.mu.Unlock()
	if _, err := w.Put(t.Context(), "third", item("b", "butter")); err == nil {
		t.Fatal("put without an encoder: no error")
	}
	w.text.mu.Lock()
	w.text.err = nil
	w.text.mu.Unlock()
	eventually(t, "the item of the third tenant is searchable", func() bool {
		_, in, err := w.Collections.Active(ctx, "third")
		if err != nil {
			return false
		}
		vectors, err := in.Vectors(ctx, "b")
		return err == nil && vectors[0] != nil
	})
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// eventually waits until something holds; it fails after a while.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
