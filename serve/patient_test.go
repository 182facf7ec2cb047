package serve

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"upnext"
	"upnext/index"
)

// TestHealth asks an index that hangs: each call ends at its limit, then the
// index is left alone for a while, and asked again.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h health
		calls := 0
		hang := func(ctx context.Context) error {
			calls++
			<-ctx.Done()
			return ctx.Err()
		}
		ask := func(call func(context.Context) error, want time.Duration) {
			t.Helper()
			began := time.Now()
			err := h.ask(t.Context(), 100*time.Millisecond, call)
			if want >= 0 && (!errors.Is(err, upnext.ErrUnavailable) || time.Since(began) != want) {
				t.Errorf("call %d: %v after %s, want unavailable after %s", calls, err, time.Since(began), want)
			}
		}
		for range awayAfter {
			ask(hang, 100*time.Millisecond)
		}
		ask(hang, 0)
		if calls != awayAfter {
			t.Errorf("asked %d times, want %d: it is away", calls, awayAfter)
		}
		time.Sleep(awayFor)
		if err := h.ask(t.Context(), time.Second, func(context.Context) error { return nil }); err != nil {
			t.Errorf("back again: %v", err)
		}

		// A caller without time says nothing of the index.
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for range 2 * awayAfter {
			_ = h.ask(hurried, 100*time.Millisecond, hang)
		}
		ask(hang, 100*time.Millisecond)
	})
}

// absent are collections whose index answers nothing while it is away.
type absent struct {
	index.Collections
	away *atomic.Bool
}

// Active implements index.Collections.
func (c absent) Active(ctx context.Context, t upnext.Tenant) (string, index.Index, error) {
	name, in, err := c.Collections.Active(ctx, t)
	return name, absentIndex{in, c.away}, err
}

type absentIndex struct {
	index.Index
	away *atomic.Bool
}

// Vectors implements index.Index.
func (a absentIndex) Vectors(ctx context.Context, ids ...upnext.ItemID) ([][]float32, error) {
	if a.away.Load() {
		return nil, fmt.Errorf("query: %w", upnext.ErrUnavailable)
	}
	return a.Index.Vectors(ctx, ids...)
}

// TestWithoutVectors: who has interests has a page, of a page's kind, while
// the index cannot give their vectors, and their taste with the next one.
func TestWithoutVectors(t *testing.T) {
	var away atomic.Bool
	w := newWorld(t, 20, func(c *Config) { c.Collections = absent{c.Collections, &away} })
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: "space-001"})
	w.does("ann", upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeItem, Item: "chess-000"})
	away.Store(true)
	for _, req := range []upnext.Request{
		{Viewer: user("ann")},
		{Viewer: user("ann"), Query: "space maker"},
		{Viewer: user("ann"), Like: []upnext.ItemID{"space-001"}},
	} {
		s := w.asks(req)
		if len(s.Items) < 10 || len(s.Degraded) == 0 { // of interests, and once it counts as away, of the index
			t.Errorf("%s: %d items, degraded %v; want a page that says what it goes without", classOf(req), len(s.Items), s.Degraded)
		}
		if _, ok := find(s, "chess-000"); ok {
			t.Error("a blocked item")
		}
	}
	away.Store(false)
	w.now = w.now.Add(time.Minute)
	time.Sleep(awayFor) // by the wall clock
	if s := w.page("ann"); len(s.Degraded) > 0 || about(s, "space") < 5 {
		t.Errorf("with the index back: %d of space, degraded %v", about(s, "space"), s.Degraded)
	}
}
