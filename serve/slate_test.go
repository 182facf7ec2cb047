package serve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"upnext"
)

// TestRun: ready once loaded, slates in the store when it has returned.
func TestRun(t *testing.T) {
	w := newWorld(t, 10, nil)
	w.history("ann")
	rec := New(w.cfg)
	if err := rec.Ready(); !errors.Is(err, upnext.ErrUnavailable) || !strings.Contains(err.Error(), "catalogue") {
		t.Errorf("before Run: %v, want ErrUnavailable naming the catalogue", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := rec.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	s, err := rec.Recommend(t.Context(), tenantT, upnext.Request{Viewer: user("ann"), Session: "s", Scenario: "front"})
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Ready(); err != nil {
		t.Errorf("after an answer: %v", err)
	}
	stop()
	wg.Wait()
	kept, err := w.store.Slates.Slate(t.Context(), tenantT, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids(kept), ids(s)) || kept.Viewer != s.Viewer || kept.Session != "s" || kept.Scenario != "front" {
		t.Errorf("kept %+v, want what was answered", kept)
	}
	if kept.Versions["collection"] != "topics" || kept.Versions["settings"] == "" || kept.Timings["total"] <= 0 {
		t.Errorf("versions %v, timings %v", kept.Versions, kept.Timings)
	}
	for i, p := range kept.Items {
		if explored := slices.Equal(p.Sources, []string{"explore"}); explored != (p.Propensity < 1) || !(p.Propensity > 0) || len(p.Features) == 0 || len(p.Sources) == 0 || p.Score <= 0 || p.Score != s.Items[i].Score {
			t.Errorf("kept %+v, want scores, features, sources, and propensity 1 but for what is explored", p)
		}
	}
	if len(kept.Unshown) != 20 {
		t.Errorf("%d unshown, want 20", len(kept.Unshown))
	}
	for _, p := range kept.Unshown {
		if _, shown := find(kept, p.Item); shown || p.Token != "" || p.Reasons != nil || len(p.Features) == 0 {
			t.Errorf("unshown %+v, want one not shown, with features alone", p)
		}
	}
}

// TestSlateQueue: a full queue drops and counts; it never waits.
func TestSlateQueue(t *testing.T) {
	reg := prometheus.NewRegistry()
	w := newWorld(t, 5, func(c *Config) { c.Settings.SlateQueue, c.Metrics = 3, reg })
	var last upnext.Slate
	for range 5 {
		last = w.page("ann")
	}
	if got := counted(t, w.rec.meters.slatesDropped); got != 2 {
		t.Errorf("%g slates counted as dropped, want 2", got)
	}
	if _, err := w.store.Slates.Slate(t.Context(), tenantT, last.ID); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("a slate was written in the request: %v", err)
	}
	w.rec.flushSlates(t.Context())
	w.page("ann")
	w.rec.flushSlates(t.Context())
	if got := counted(t, w.rec.meters.slatesDropped); got != 2 {
		t.Errorf("%g dropped after the queue was written, want still 2", got)
	}
	families, err := reg.Gather()
	if err != nil || !slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "upnext_recommend_seconds" }) {
		t.Errorf("registered are %v, %v; want upnext_recommend_seconds among them", families, err)
	}
}

func counted(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// TestToken: what an answer signs an event may claim, nobody else.
func TestToken(t *testing.T) {
	w := newWorld(t, 10, nil)
	s := w.page("ann")
	p := s.Items[4]
	claim, err := w.rec.Verify(tenantT, p.Token)
	if want := (Claim{Slate: s.ID, Item: p.Item, Rank: 5, Propensity: 1}); err != nil || claim != want {
		t.Fatalf("%+v, %v; want %+v", claim, err, want)
	}
	for i := range p.Token {
		forged := p.Token[:i] + string("AB"[b2i(p.Token[i] == 'A')]) + p.Token[i+1:]
		if got, err := w.rec.Verify(tenantT, forged); err == nil && got == claim && i < len(p.Token)-1 {
			t.Errorf("changed at %d it is still taken for the same", i)
		} else if err == nil && got != claim {
			t.Errorf("changed at %d it claims %+v", i, got)
		}
	}
	for _, bad := range []string{"", "AA", p.Token[:20], p.Token + "AAAA", "???"} {
		if _, err := w.rec.Verify(tenantT, bad); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", bad, err)
		}
	}
	if _, err := w.rec.Verify("other", p.Token); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("another tenant takes it: %v", err)
	}
	long := Claim{Slate: "rec_x", Item: upnext.ItemID(strings.Repeat("ж/", 85)), Rank: 200, Variant: "exp7:B", Propensity: 0.25}
	if got, err := w.rec.Verify(tenantT, w.rec.sign(tenantT, long)); err != nil || got != long {
		t.Errorf("%+v, %v; want %+v", got, err, long)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestAttribution: a good token fills in, a bad one is dropped and said so.
func TestAttribution(t *testing.T) {
	w := newWorld(t, 10, nil)
	p := w.page("ann").Items[2]
	base := upnext.Event{ID: "e", Kind: upnext.Play, At: w.now, Viewer: user("ann")}
	e := base
	e.Token = p.Token
	got, err := w.rec.Prepare(tenantT, e)
	if err != nil || got.Item != p.Item || got.Position != 3 || got.Token != p.Token || got.ReceivedAt != w.now {
		t.Errorf("%+v, %v; want item, position and token", got, err)
	}
	for _, token := range []string{"forged", p.Token} {
		e, said := base, map[string]any{"mine": 1.0}
		e.Token, e.Item, e.Context = token, "space-009", said
		if p.Item == e.Item {
			e.Item = "space-008"
		}
		got, err := w.rec.Prepare(tenantT, e)
		if err != nil || got.Token != "" || got.Item != e.Item || got.Context["token_rejected"] == nil || got.Context["mine"] != 1.0 {
			t.Errorf("token %.10s: %+v, %v; want the event without its token, and why", token, got, err)
		}
		if !maps.Equal(said, map[string]any{"mine": 1.0}) {
			t.Errorf("the caller's context was changed: %v", said)
		}
	}
	e = base
	e.Token = "forged"
	if _, err := w.rec.Prepare(tenantT, e); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("with neither item nor a good token: %v, want ErrInvalid", err)
	}
}

// TestTenants: one tenant's items, events and viewers are not another's.
func TestTenants(t *testing.T) {
	w := newWorld(t, 10, nil)
	w.history("ann")
	s, err := w.rec.Recommend(t.Context(), "other", upnext.Request{Viewer: user("ann")})
	if err != nil || len(s.Items) != 0 {
		t.Errorf("%v, %v; want an empty page", ids(s), err)
	}
	p, err := w.rec.Profile(t.Context(), "other", user("ann"))
	if err != nil || p.Known {
		t.Errorf("%+v, %v; want nothing known", p, err)
	}
}

// TestHeldViewers: memory is bounded, and who comes back is known.
func TestHeldViewers(t *testing.T) {
	w := newWorld(t, 10, func(c *Config) { c.Settings.HeldViewers = 3 })
	want := map[string][]upnext.ItemID{}
	for v := range 8 {
		name := fmt.Sprintf("v%d", v)
		w.does(name, upnext.Event{Kind: upnext.Like, Item: itemOf(topics[v], 1).ID})
	}
	w.refresh()
	for v := range 8 {
		name := fmt.Sprintf("v%d", v)
		want[name] = ids(w.page(name))
	}
	if held := w.rec.viewers.idle.Len(); held != 3 {
		t.Errorf("%d viewers held, want 3", held)
	}
	for v := range 8 {
		name := fmt.Sprintf("v%d", v)
		if got := ids(w.page(name)); !slices.Equal(got, want[name]) {
			t.Errorf("%s came back to %v, want %v", name, got, want[name])
		}
	}
	w.rec.viewers.mu.Lock()
	defer w.rec.viewers.mu.Unlock()
	sum := int64(0)
	for _, e := range w.rec.viewers.held {
		sum += e.Value.(*held).bytes
	}
	if sum != w.rec.viewers.bytes {
		t.Errorf("%d bytes counted, %d held", w.rec.viewers.bytes, sum)
	}
}

// TestConcurrent does everything at once; the race detector looks on.
func TestConcurrent(t *testing.T) {
	w := newWorld(t, 20, func(c *Config) {
		c.Settings.HeldViewers, c.Settings.FollowEvery = 5, time.Millisecond
		c.Now = func() time.Time { return noon.Add(time.Hour) }
	})
	ctx, stop := context.WithCancel(t.Context())
	var running, wg sync.WaitGroup
	running.Go(func() { w.rec.Run(ctx) })
	for g := range 4 {
		wg.Go(func() {
			for i := range 40 {
				v := user(fmt.Sprintf("v%d", (g+i)%8))
				e := upnext.Event{ID: upnext.EventID(fmt.Sprintf("%d-%d", g, i)), Kind: upnext.Like, At: noon, Viewer: v, Item: itemOf(topics[i%8], i%20).ID}
				if _, err := w.rec.Feedback(ctx, tenantT, e); err != nil {
					t.Error(err)
				}
				s, err := w.rec.Recommend(ctx, tenantT, upnext.Request{Viewer: v})
				if err != nil || len(s.Items) != 20 {
					t.Errorf("%d items, %v", len(s.Items), err)
				}
				if _, seen := find(s, e.Item); seen {
					t.Errorf("%s was liked before the request", e.Item)
				}
				switch i % 10 {
				case 3:
					if err := w.rec.Retract(ctx, tenantT, v, e.ID); err != nil {
						t.Error(err)
					}
				case 7:
					if _, err := w.rec.Profile(ctx, tenantT, v); err != nil {
						t.Error(err)
					}
				case 9:
					w.rec.Forget(tenantT, v)
				}
			}
		})
	}
	wg.Wait()
	stop()
	running.Wait()
	// What was folded piece by piece is what a fresh process reads.
	other := New(w.cfg)
	for v := range 8 {
		a, err := w.rec.Profile(t.Context(), tenantT, user(fmt.Sprintf("v%d", v)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := other.Profile(t.Context(), tenantT, user(fmt.Sprintf("v%d", v)))
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("v%d: %+v\nafter a restart %+v, %v", v, a, b, err)
		}
	}
}
