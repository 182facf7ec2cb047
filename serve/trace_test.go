package serve

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/serve/source"
)

// TestTraceTellsAll: every source with what it brought and turned away, and each
// candidate from where it came from to where it ended.
func TestTraceTellsAll(t *testing.T) {
	w := newWorld(t, 40, nil)
	w.history("ann")
	s := w.asks(upnext.Request{Viewer: user("ann"), Count: 5, Explain: ExplainTrace})
	if s.Trace == nil {
		t.Fatal("no trace")
	}
	by := map[string]upnext.Brought{}
	for _, b := range s.Trace.Sources {
		by[b.Source] = b
	}
	for _, src := range DefaultSources().Page {
		b, told := by[src.Name()]
		if asked := w.rec.quota(src.Name(), 5) > 0; told != asked || asked && b.Asked == 0 {
			t.Errorf("source %s: %+v, asked %v", src.Name(), b, asked)
		}
	}
	found := map[string]int{}
	for i, c := range s.Trace.Candidates {
		if c.Rank != i+1 || c.Ranks["rank"] != i+1 || c.Ranks["blend"] < 1 || len(c.Features) == 0 {
			t.Fatalf("candidate %d: %+v", i+1, c)
		}
		for _, o := range c.Origins {
			found[o.Source]++
			if o.Rank < 1 || o.Rank > by[o.Source].Found {
				t.Errorf("%s: %+v of %d", c.Item, o, by[o.Source].Found)
			}
		}
		placed, shown := find(s, c.Item)
		if shown != (c.Ranks["rerank"] > 0) || shown && (placed.Score != c.Score || !slices.Equal(placed.Origins, c.Origins)) {
			t.Errorf("%s: shown as %+v, traced as %+v", c.Item, placed, c)
		}
	}
	for name, b := range by {
		if found[name] != b.Found {
			t.Errorf("%s brought %d, %d candidates name it", name, b.Found, found[name])
		}
	}
	if by["taste"].Found == 0 || by["taste"].Turned["seen"] == 0 {
		t.Errorf("taste: %+v, want it to have met what ann has seen", by["taste"])
	}
	if plain := w.page("ann"); plain.Trace != nil || plain.Items[0].Origins != nil {
		t.Error("a trace that nobody asked for")
	}
}

// slowSource never answers.
type slowSource struct{}

func (slowSource) Name() string { return "slow" }

func (slowSource) Recall(ctx context.Context, _ source.Ask, _ int) ([]source.Candidate, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestTraceOfLateSource: the trace says who was late.
func TestTraceOfLateSource(t *testing.T) {
	w := newWorld(t, 10, func(c *Config) {
		c.Sources = &Sources{Page: []source.Source{source.Fresh{}, slowSource{}}}
		c.Settings.SourceDeadline = 20 * time.Millisecond
	})
	s := w.asks(upnext.Request{Explain: ExplainTrace})
	b := s.Trace.Sources[1]
	if b.Source != "slow" || b.Error == "" || b.Found != 0 || b.Took <= 0 {
		t.Errorf("%+v, want an error and how long it was waited for", b)
	}
}

// TestTraceIsBounded: of a great many candidates the best are told, and all that
// was shown.
func TestTraceIsBounded(t *testing.T) {
	w := newWorld(t, 200, func(c *Config) { c.Settings.Quotas["fresh"] = 1600 })
	s := w.asks(upnext.Request{Count: 200, Explain: ExplainTrace})
	if n := len(s.Trace.Candidates); n != mostTraced || s.Trace.Omitted == 0 {
		t.Errorf("%d candidates and %d omitted, want %d and the rest", n, s.Trace.Omitted, mostTraced)
	}
	shown := 0
	for _, c := range s.Trace.Candidates {
		if _, ok := find(s, c.Item); ok {
			shown++
		}
	}
	if shown != 200 {
		t.Errorf("%d of the 200 shown are in the trace", shown)
	}
}

// TestRecorded: an answer can be read at once, before it is written and after,
// at any replica; its trace for a day; by its tenant alone; until it is erased.
func TestRecorded(t *testing.T) {
	w := newWorld(t, 20, nil)
	w.history("ann")
	req := upnext.Request{Viewer: user("ann"), Count: 4, Filter: "kind == 'video'", Explain: ExplainTrace}
	s, plain := w.asks(req), w.page("ann")
	read := func(r *Recommender, id upnext.SlateID) upnext.Slate {
		t.Helper()
		got, err := r.Recorded(t.Context(), tenantT, id)
		if err != nil {
			t.Fatal(err)
		}
		got.Seq = 0
		return got
	}
	other := w.replica()
	waiting := read(w.rec, s.ID)
	if _, err := other.Recorded(t.Context(), tenantT, s.ID); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("another replica, before it is written: %v, want ErrNotFound", err)
	}
	w.rec.flushSlates(t.Context())
	written := read(other, s.ID)
	if !reflect.DeepEqual(waiting, written) {
		t.Errorf("while it waits %+v\nonce written %+v", waiting, written)
	}
	if written.Trace == nil || !reflect.DeepEqual(written.Trace, s.Trace) || !reflect.DeepEqual(written.Items, s.Items) {
		t.Errorf("kept %+v, want what was answered", written)
	}
	if got, err := RequestOf(written); err != nil || !reflect.DeepEqual(got, req) {
		t.Errorf("kept as asked %+v, %v; want %+v", got, err, req)
	}
	if got := read(other, plain.ID); got.Trace != nil || len(got.Items) != len(plain.Items) || len(got.Items[0].Features) == 0 {
		t.Errorf("untraced: %+v, want its items and features", got)
	}
	for _, of := range []struct {
		tenant upnext.Tenant
		id     upnext.SlateID
	}{{"other", s.ID}, {tenantT, "rec_unknown"}, {tenantT, ""}} {
		if _, err := other.Recorded(t.Context(), of.tenant, of.id); !errors.Is(err, upnext.ErrNotFound) {
			t.Errorf("%q of %q: %v, want ErrNotFound", of.id, of.tenant, err)
		}
	}
	w.now = s.At.Add(24*time.Hour - time.Microsecond)
	if read(other, s.ID).Trace == nil {
		t.Error("the trace is gone before a day has passed")
	}
	w.now = s.At.Add(24 * time.Hour)
	if got := read(other, s.ID); got.Trace != nil || len(got.Items) != 4 {
		t.Error("after a day: want the answer without its trace")
	}
	if _, err := w.rec.Erase(t.Context(), tenantT, user("ann")); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Recorded(t.Context(), tenantT, s.ID); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("erased: %v, want ErrNotFound", err)
	}
	s = w.page("bob")
	w.now = w.now.Add(w.cfg.Settings.SlateKeep)
	if _, err := w.rec.Recorded(t.Context(), tenantT, s.ID); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("after a week: %v, want ErrNotFound", err)
	}
}

// TestTraceQueue: traces that wait for the store are few, and what has no room
// for its trace is kept without it.
func TestTraceQueue(t *testing.T) {
	w := newWorld(t, 5, func(c *Config) { c.Settings.TraceQueue = 2 })
	var all []upnext.Slate
	for range 3 {
		all = append(all, w.asks(upnext.Request{Viewer: user("ann"), Explain: ExplainTrace}))
	}
	if got := counted(t, w.rec.meters.tracesDropped); got != 1 {
		t.Errorf("%g traces counted as dropped, want 1", got)
	}
	w.rec.flushSlates(t.Context())
	for i, s := range all {
		kept, err := w.rec.Recorded(t.Context(), tenantT, s.ID)
		if err != nil || (kept.Trace != nil) != (i < 2) || s.Trace == nil {
			t.Errorf("answer %d: trace kept %v, %v; want the first two", i, kept.Trace != nil, err)
		}
	}
	w.asks(upnext.Request{Viewer: user("ann"), Explain: ExplainTrace})
	w.rec.slates.eraseViewer(tenantT, user("ann"))
	if w.rec.slates.traces != 0 {
		t.Errorf("%d traces counted in an empty queue", w.rec.slates.traces)
	}
}
