package serve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"upnext"
	"upnext/index"
)

// fault stands before an embedded engine and does to its calls what engines do.
type fault struct {
	kind atomic.Value // string: well, hangs, ignores (its context), refuses, slow
	end  chan struct{}
}

// well returns one that is well until it is told otherwise.
func well() *fault {
	f := &fault{end: make(chan struct{})}
	f.kind.Store("well")
	return f
}

// strike happens before each call.
func (f *fault) strike(ctx context.Context) error {
	switch f.kind.Load() {
	case "hangs":
		<-ctx.Done()
		return ctx.Err()
	case "ignores":
		<-f.end
		return errors.New("late")
	case "refuses":
		return fmt.Errorf("connection refused: %w", upnext.ErrUnavailable)
	case "slow":
		select {
		case <-time.After(600 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

type faultyCollections struct {
	index.Collections
	active, asked *fault
}

// Active implements index.Collections.
func (c faultyCollections) Active(ctx context.Context, t upnext.Tenant) (string, index.Index, error) {
	if err := c.active.strike(ctx); err != nil {
		return "", nil, err
	}
	name, in, err := c.Collections.Active(ctx, t)
	return name, faultyIndex{in, c.asked}, err
}

type faultyIndex struct {
	index.Index
	fault *fault
}

// Search implements index.Index.
func (f faultyIndex) Search(ctx context.Context, q index.Query) ([][]index.Hit, error) {
	if err := f.fault.strike(ctx); err != nil {
		return nil, err
	}
	return f.Index.Search(ctx, q)
}

// Vectors implements index.Index.
func (f faultyIndex) Vectors(ctx context.Context, ids ...upnext.ItemID) ([][]float32, error) {
	if err := f.fault.strike(ctx); err != nil {
		return nil, err
	}
	return f.Index.Vectors(ctx, ids...)
}

type faultyViewers struct {
	upnext.Viewers
	fault *fault
}

// Viewer implements upnext.Viewers.
func (f faultyViewers) Viewer(ctx context.Context, t upnext.Tenant, id upnext.ViewerID) (upnext.Viewer, error) {
	if err := f.fault.strike(ctx); err != nil {
		return upnext.Viewer{}, err
	}
	return f.Viewers.Viewer(ctx, t, id)
}

type faultyEvents struct {
	upnext.Events
	reads, writes *fault
}

// ByViewer implements upnext.Events.
func (f faultyEvents) ByViewer(ctx context.Context, t upnext.Tenant, id upnext.ViewerID, n int) ([]upnext.Event, error) {
	if err := f.reads.strike(ctx); err != nil {
		return nil, err
	}
	return f.Events.ByViewer(ctx, t, id, n)
}

// Append implements upnext.Events.
func (f faultyEvents) Append(ctx context.Context, t upnext.Tenant, events ...upnext.Event) ([]upnext.Appended, error) {
	if err := f.writes.strike(ctx); err != nil {
		return nil, err
	}
	return f.Events.Append(ctx, t, events...)
}

// faults are all that a world's engines can suffer.
type faults struct{ active, index, encoder, viewers, reads, writes *fault }

// newFaultyWorld is newWorld with a fault before each engine, all well.
func newFaultyWorld(t *testing.T) (*world, faults) {
	f := faults{well(), well(), well(), well(), well(), well()}
	w := newWorld(t, 20, func(c *Config) {
		c.Settings = DefaultSettings() // with its deadlines
		c.Collections = faultyCollections{c.Collections, f.active, f.index}
		c.Viewers = faultyViewers{c.Viewers, f.viewers}
		c.Events = faultyEvents{c.Events, f.reads, f.writes}
		query := c.Query
		c.Query = func(ctx context.Context, collection, text string) ([]float32, error) {
			if err := f.encoder.strike(ctx); err != nil {
				return nil, err
			}
			return query(ctx, collection, text)
		}
	})
	w.rec.Settings.RereadViewer = time.Nanosecond
	w.rec.viewers.cfg.Settings.RereadViewer = time.Nanosecond
	return w, f
}

// TestFaults: whatever one engine does, an answer comes within its deadline
// and says what it goes without; once the engine counts as away it comes at
// once; and when it is back, it says nothing any more.
func TestFaults(t *testing.T) {
	requests := map[string]upnext.Request{
		"page":    {Viewer: user("ann")},
		"similar": {Like: []upnext.ItemID{"space-001"}},
		"search":  {Query: "space maker"},
	}
	for _, c := range []struct {
		what, request, degraded string
		of                      func(faults) *fault
	}{
		{"collections", "page", "index", func(f faults) *fault { return f.active }},
		{"index", "page", "taste", func(f faults) *fault { return f.index }},
		{"index", "similar", "similar", func(f faults) *fault { return f.index }},
		{"index", "search", "meaning", func(f faults) *fault { return f.index }},
		{"encoder", "search", "meaning", func(f faults) *fault { return f.encoder }},
		{"viewers", "page", "viewer", func(f faults) *fault { return f.viewers }},
	} {
		for _, kind := range []string{"hangs", "ignores", "refuses", "slow"} {
			t.Run(c.what+" "+kind+" "+c.request, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, f := newFaultyWorld(t)
					w.does("ann", upnext.Event{Kind: upnext.Like, Item: "space-001"})
					w.page("ann")
					hit := c.of(f)
					end := sync.OnceFunc(func() { close(hit.end) })
					defer end()
					hit.kind.Store(kind)
					req, atOnce := requests[c.request], 0
					for i := range 6 {
						w.now = w.now.Add(time.Second) // properties are to be read again
						began := time.Now()
						s, err := w.rec.Recommend(t.Context(), tenantT, req)
						took := time.Since(began)
						if err != nil || len(s.Items) < 10 || took > w.rec.Settings.Deadline {
							t.Fatalf("answer %d: %d items, %v, after %s; want a page within %s", i, len(s.Items), err, took, w.rec.Settings.Deadline)
						}
						if !isDegraded(s, c.degraded) && !isDegraded(s, "index") {
							t.Errorf("answer %d: degraded %v, want %s", i, s.Degraded, c.degraded)
						}
						if took == 0 {
							atOnce++
						}
						time.Sleep(time.Millisecond) // the verdict
					}
					if atOnce == 0 {
						t.Error("each answer waited: the engine is never left alone")
					}
					hit.kind.Store("well")
					end()
					time.Sleep(w.rec.Settings.BreakFor + 100*time.Millisecond)
					w.asks(req)
					if s := w.asks(req); len(s.Degraded) > 0 {
						t.Errorf("when it is back: degraded %v", s.Degraded)
					}
				})
			})
		}
	}
}

func isDegraded(s upnext.Slate, stage string) bool {
	for _, d := range s.Degraded {
		if d.Stage == stage {
			return true
		}
	}
	return false
}

// TestStoreAway: while the events of viewers cannot be read, who is held in
// memory has a page, who is not is told so in time, because nobody knows what
// they have blocked; and no other viewer waits for a lock that they hold.
func TestStoreAway(t *testing.T) {
	for _, kind := range []string{"hangs", "ignores", "refuses"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, f := newFaultyWorld(t)
				w.does("ann", upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeItem, Item: "chess-000"})
				w.page("ann")
				f.reads.kind.Store(kind)
				defer close(f.reads.end)
				if s := w.page("ann"); len(s.Items) == 0 {
					t.Error("no page for who is held")
				}
				var asking sync.WaitGroup
				for range 20 { // of one viewer, at once: the lock of one must not add up
					asking.Go(func() {
						began := time.Now()
						_, err := w.rec.Recommend(t.Context(), tenantT, upnext.Request{Viewer: user("bob")})
						if took := time.Since(began); !errors.Is(err, upnext.ErrUnavailable) || took > w.rec.Settings.Deadline {
							t.Errorf("who is not held: %v after %s, want unavailable within %s", err, took, w.rec.Settings.Deadline)
						}
					})
				}
				asking.Wait()
			})
		})
	}
}

// TestStaleViewer: properties that cannot be read again hold as they were,
// unless somebody has said that they changed.
func TestStaleViewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newFaultyWorld(t)
		defer close(f.viewers.end)
		if _, err := w.store.Viewers.PutViewer(t.Context(), tenantT, upnext.Viewer{ID: user("kid"), BirthYear: noon.Year() - 10}); err != nil {
			t.Fatal(err)
		}
		adult := itemOf("space", 999)
		adult.MinAge = 12 // what is not known of whom may see
		w.put(adult)
		f.viewers.kind.Store("well")
		w.page("kid")
		w.now = w.now.Add(time.Minute)
		f.viewers.kind.Store("refuses")
		s := w.asks(upnext.Request{Viewer: user("kid"), Count: 200})
		if _, shown := find(s, adult.ID); shown || !isDegraded(s, "viewer") {
			t.Errorf("shown to a child while the store is away: %t; degraded %v", shown, s.Degraded)
		}
		w.rec.Forget(tenantT, user("kid"))
		if _, err := w.rec.Recommend(t.Context(), tenantT, upnext.Request{Viewer: user("kid")}); !errors.Is(err, upnext.ErrUnavailable) {
			t.Errorf("properties have changed and cannot be read: %v, want unavailable", err)
		}
	})
}

// TestAppendHangs: events that cannot be kept are refused in time, then at
// once, and are taken again when the store is back.
func TestAppendHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newFaultyWorld(t)
		f.writes.kind.Store("ignores")
		send := func(id string) (time.Duration, error) {
			began := time.Now()
			_, err := w.rec.Feedback(t.Context(), tenantT, upnext.Event{ID: upnext.EventID(id), Kind: upnext.Like, Item: "space-001", Viewer: user("ann"), At: w.now})
			return time.Since(began), err
		}
		var took time.Duration
		for i := range 5 {
			var err error
			if took, err = send(fmt.Sprint(i)); !errors.Is(err, upnext.ErrUnavailable) || took > w.rec.Settings.AppendDeadline {
				t.Fatalf("event %d: %v after %s, want unavailable within %s", i, err, took, w.rec.Settings.AppendDeadline)
			}
			time.Sleep(time.Millisecond)
		}
		if took != 0 {
			t.Errorf("the fifth waits %s, want a refusal at once", took)
		}
		f.writes.kind.Store("well")
		close(f.writes.end)
		time.Sleep(w.rec.Settings.BreakFor + time.Millisecond)
		if _, err := send("back"); err != nil {
			t.Errorf("the store is back: %v", err)
		}
	})
}

// TestDeadline: what a request waited before it was begun, and every stage, is
// within one deadline.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newFaultyWorld(t)
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: "space-001"})
		for _, hit := range []*fault{f.active, f.index, f.viewers} {
			hit.kind.Store("ignores")
			defer close(hit.end)
		}
		w.page("") // loads nobody
		began := time.Now()
		ctx := Arrived(t.Context(), began.Add(-150*time.Millisecond))
		_, err := w.rec.Recommend(ctx, tenantT, upnext.Request{Viewer: user("eve"), Deadline: 200 * time.Millisecond})
		if took := time.Since(began); took > 50*time.Millisecond {
			t.Errorf("%v after %s; want the 50 ms that were left", err, took)
		}
	})
}

// TestWithoutVectors: who has interests has a page, of a page's kind, while
// the index cannot give their vectors, and their taste with the next one.
func TestWithoutVectors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newFaultyWorld(t)
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: "space-001"})
		w.does("ann", upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeItem, Item: "chess-000"})
		f.index.kind.Store("refuses")
		for _, req := range []upnext.Request{
			{Viewer: user("ann")},
			{Viewer: user("ann"), Query: "space maker"},
			{Viewer: user("ann"), Like: []upnext.ItemID{"space-001"}},
		} {
			s := w.asks(req)
			if len(s.Items) < 10 || len(s.Degraded) == 0 {
				t.Errorf("%s: %d items, degraded %v; want a page that says what it goes without", classOf(req), len(s.Items), s.Degraded)
			}
			if _, ok := find(s, "chess-000"); ok {
				t.Error("a blocked item")
			}
		}
		f.index.kind.Store("well")
		w.now = w.now.Add(time.Minute)
		time.Sleep(w.rec.Settings.BreakFor + time.Millisecond)
		w.page("ann") // one tries whether it is back
		if s := w.page("ann"); len(s.Degraded) > 0 || about(s, "space") < 5 {
			t.Errorf("with the index back: %d of space, degraded %v", about(s, "space"), s.Degraded)
		}
	})
}
