package serve

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

// measured brings the counts up to date and returns those of a part, by value.
func (w *world) measured(by upnext.Part) map[string]upnext.Counts {
	w.t.Helper()
	w.rec.flushSlates(w.t.Context())
	w.now = w.now.Add(2 * settle)
	if err := w.rec.Measure(w.t.Context(), tenantT); err != nil {
		w.t.Fatal(err)
	}
	rows, err := w.rec.Measured(w.t.Context(), tenantT, upnext.MeasureQuery{From: noon.Add(-time.Hour), To: w.now.Add(time.Hour), By: by})
	if err != nil {
		w.t.Fatal(err)
	}
	counts := map[string]upnext.Counts{}
	for _, r := range rows {
		counts[r.Value] = r.Counts
	}
	return counts
}

func (w *world) wants(what string, by upnext.Part, value string, want upnext.Counts) {
	w.t.Helper()
	if got := w.measured(by)[value]; got != want {
		w.t.Errorf("%s: %s %s:\n got %+v\nwant %+v", what, by, value, got, want)
	}
}

// TestMeasured follows one shown item from impression to erasure: what is told
// twice counts once, and what is taken back is gone.
func TestMeasured(t *testing.T) {
	w := newWorld(t, 3, nil)
	page := w.page("ann")
	first, second := page.Items[0], page.Items[1]
	watch := func(d time.Duration) *upnext.Watch { return &upnext.Watch{Watched: d} }
	w.wants("nothing was done", upnext.PartScenario, "home", upnext.Counts{})

	w.does("ann", upnext.Event{Kind: upnext.Impression, Token: first.Token})
	w.does("ann", upnext.Event{Kind: upnext.Impression, Token: first.Token})
	w.does("ann", upnext.Event{Kind: upnext.Impression, Token: second.Token})
	w.wants("seen", upnext.PartScenario, "home", upnext.Counts{Impressions: 2})
	w.wants("seen at the top", upnext.PartPosition, "01", upnext.Counts{Impressions: 1})
	for _, source := range first.Sources {
		if got := w.measured(upnext.PartSource)[source]; got.Impressions == 0 {
			t.Errorf("source %s: %+v, want an impression: it found %s", source, got, first.Item)
		}
	}

	w.does("ann", upnext.Event{Kind: upnext.Play, Token: first.Token})
	w.does("ann", upnext.Event{Kind: upnext.Progress, Token: first.Token, Watch: watch(2 * time.Second)})
	w.wants("begun", upnext.PartKind, "video", upnext.Counts{Impressions: 2, Clicks: 1, Watches: 1, Timed: 1, QuickSkips: 1, Watched: 2000, Squares: 400})
	late := w.does("ann", upnext.Event{Kind: upnext.Progress, Token: first.Token, Watch: watch(280 * time.Second)})
	w.wants("watched", upnext.PartKind, "video", upnext.Counts{
		Impressions: 2, Clicks: 1, Watches: 1, Timed: 1, ValidViews: 1, Completes: 1, Watched: 280_000, Squares: 2800 * 2800})
	again, err := w.rec.Feedback(t.Context(), tenantT, upnext.Event{ID: late, Kind: upnext.Progress, Viewer: user("ann"), At: w.now, Token: first.Token, Watch: watch(290 * time.Second)})
	if err != nil || !again[0].Duplicate {
		t.Fatalf("sent again: %+v, %v; want a duplicate", again, err)
	}
	buy := w.does("ann", upnext.Event{Kind: upnext.Purchase, Token: second.Token})
	w.wants("bought", upnext.PartPosition, "02", upnext.Counts{Impressions: 1, Conversions: 1})

	for _, id := range []upnext.EventID{late, buy} {
		if err := w.rec.Retract(t.Context(), tenantT, user("ann"), id); err != nil {
			t.Fatal(err)
		}
	}
	w.wants("taken back", upnext.PartScenario, "home", upnext.Counts{Impressions: 2, Clicks: 1, Watches: 1, Timed: 1, QuickSkips: 1, Watched: 2000, Squares: 400})
	if _, err := w.rec.Erase(t.Context(), tenantT, user("ann")); err != nil {
		t.Fatal(err)
	}
	w.wants("erased", upnext.PartScenario, "home", upnext.Counts{})
}

// TestAttributed says, a case each, whether an event counts and how it was
// attributed.
func TestAttributed(t *testing.T) {
	other := newWorld(t, 3, func(c *Config) { c.TokenKey = []byte("another server's key, of 32 bytes") })
	stranger := other.page("ann").Items[0]
	for _, c := range []struct {
		name   string
		viewer string
		event  func(page upnext.Slate) upnext.Event
		later  time.Duration
		by     upnext.AttributedBy // empty: not at all
	}{
		{"by token", "ann", func(p upnext.Slate) upnext.Event { return upnext.Event{Kind: upnext.Play, Token: p.Items[0].Token} }, 0, upnext.ByToken},
		{"a token two days later", "ann", func(p upnext.Slate) upnext.Event { return upnext.Event{Kind: upnext.Play, Token: p.Items[0].Token} }, 48 * time.Hour, upnext.ByToken},
		{"an old token", "ann", func(p upnext.Slate) upnext.Event { return upnext.Event{Kind: upnext.Play, Token: p.Items[0].Token} }, 8 * 24 * time.Hour, ""},
		{"without a token", "ann", func(p upnext.Slate) upnext.Event { return upnext.Event{Kind: upnext.Play, Item: p.Items[3].Item} }, time.Hour, upnext.BySlate},
		{"too late without a token", "ann", func(p upnext.Slate) upnext.Event { return upnext.Event{Kind: upnext.Play, Item: p.Items[3].Item} }, 25 * time.Hour, ""},
		{"somebody else", "bob", func(p upnext.Slate) upnext.Event { return upnext.Event{Kind: upnext.Play, Item: p.Items[3].Item} }, 0, ""},
		{"somebody else's token", "bob", func(p upnext.Slate) upnext.Event { return upnext.Event{Kind: upnext.Play, Token: p.Items[0].Token} }, 0, ""},
		{"an item that was not shown", "ann", func(upnext.Slate) upnext.Event { return upnext.Event{Kind: upnext.Play, Item: "no-such-item"} }, 0, ""},
		{"another server's token", "ann", func(upnext.Slate) upnext.Event {
			return upnext.Event{Kind: upnext.Play, Item: "no-such-item", Token: stranger.Token}
		}, 0, ""},
		{"a bad token, but shown", "ann", func(p upnext.Slate) upnext.Event {
			return upnext.Event{Kind: upnext.Play, Item: p.Items[2].Item, Token: "forged"}
		}, 0, upnext.BySlate},
		{"about the creator", "ann", func(p upnext.Slate) upnext.Event {
			return upnext.Event{Kind: upnext.Mute, Scope: upnext.ScopeCreator, Creator: "c", Item: p.Items[0].Item}
		}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 3, nil)
			page := w.page("ann")
			w.now = w.now.Add(c.later)
			w.does(c.viewer, c.event(page))
			w.measured(upnext.PartScenario)
			kept, err := w.store.Measures().Attributions(t.Context(), tenantT, page.ID)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case c.by == "" && len(kept) > 0:
				t.Errorf("attributed: %+v", kept)
			case c.by != "" && (len(kept) != 1 || kept[0].By != c.by || kept[0].Scenario != "home" || kept[0].Rank == 0 || len(kept[0].Sources) == 0):
				t.Errorf("attributed: %+v, want one by %s, with scenario, rank and sources", kept, c.by)
			}
			if held, err := w.store.Events.ByViewer(t.Context(), tenantT, user(c.viewer), 10); err != nil || len(held) != 1 {
				t.Errorf("%d events kept, %v: want the event, attributed or not", len(held), err)
			}
		})
	}
}

// TestAttributionOfTheLatest: an item that several answers showed counts for
// the latest one before the event, and a token wins over it.
func TestAttributionOfTheLatest(t *testing.T) {
	w := newWorld(t, 1, nil)
	pages := make([]upnext.Slate, 3)
	for i := range pages {
		pages[i] = w.page("ann")
		w.now = w.now.Add(30 * time.Minute)
	}
	item := pages[0].Items[0].Item
	at := pages[1].At.Add(25 * time.Minute)
	send := func(e upnext.Event) {
		t.Helper()
		e.Viewer = user("ann")
		if _, err := w.rec.Feedback(t.Context(), tenantT, e); err != nil {
			t.Fatal(err)
		}
	}
	send(upnext.Event{ID: "between", Kind: upnext.Play, Item: item, At: at})
	send(upnext.Event{ID: "token", Kind: upnext.Play, Item: item, At: at, Token: pages[0].Items[0].Token})
	send(upnext.Event{ID: "latest", Kind: upnext.Play, Item: item, At: w.now})
	send(upnext.Event{ID: "slow clock", Kind: upnext.Play, Item: pages[0].Items[1].Item, At: pages[0].At.Add(-5 * time.Minute)})
	w.measured(upnext.PartScenario)
	for i, want := range [][]upnext.AttributedBy{{upnext.ByToken, upnext.BySlate}, {upnext.BySlate}, {upnext.BySlate}} {
		kept, err := w.store.Measures().Attributions(t.Context(), tenantT, pages[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		var got []upnext.AttributedBy
		for _, a := range kept {
			got = append(got, a.By)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("page %d: %+v, want by %v", i, kept, want)
		}
	}
}

// TestMeasuredByTwo: two Recommenders over one database count no event twice,
// and none is missed.
func TestMeasuredByTwo(t *testing.T) {
	w := newWorld(t, 3, nil)
	cfg := w.cfg
	cfg.Locks = nil // so that they do meet
	second := New(cfg)
	const events = 300
	page := w.page("ann")
	for i := range events {
		w.does("ann", upnext.Event{Kind: upnext.Impression, Token: page.Items[i%len(page.Items)].Token})
	}
	w.rec.flushSlates(t.Context())
	w.now = w.now.Add(2 * settle)
	errs := make(chan error, 8)
	for i := range cap(errs) {
		go func() {
			errs <- []*Recommender{w.rec, second}[i%2].Measure(context.WithoutCancel(t.Context()), tenantT)
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	w.wants("by two", upnext.PartScenario, "home", upnext.Counts{Impressions: int64(len(page.Items))})
	kept, err := w.store.Measures().Attributions(t.Context(), tenantT, page.ID)
	if err != nil || len(kept) != events {
		t.Errorf("%d attributions, %v; want %d", len(kept), err, events)
	}
}

func TestRateOf(t *testing.T) {
	for _, c := range []struct {
		k, n int64
		want Rate
	}{ // as R's prop.test(k, n, correct = FALSE) has them
		{0, 0, Rate{0, 0, 1}}, {0, 10, Rate{0, 0, 0.2775}}, {10, 10, Rate{1, 0.7225, 1}}, {1, 10, Rate{0.1, 0.0179, 0.4042}}, {50, 1000, Rate{0.05, 0.0381, 0.0653}},
	} {
		got := RateOf(c.k, c.n)
		for i, d := range []float64{got.Value - c.want.Value, got.Low - c.want.Low, got.High - c.want.High} {
			if d > 5e-5 || d < -5e-5 {
				t.Errorf("RateOf(%d, %d), number %d of: %+v, want %+v", c.k, c.n, i, got, c.want)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 1e9).Draw(t, "n")
		k := rapid.Int64Range(0, n).Draw(t, "k")
		r, wider := RateOf(k, n), RateOf(k/2, (n+1)/2)
		if !(0 <= r.Low && r.Low <= r.Value && r.Value <= r.High && r.High <= 1) {
			t.Errorf("RateOf(%d, %d) = %+v is no interval", k, n, r)
		}
		if n > 100 && k%2 == 0 && n%2 == 0 && wider.High-wider.Low < r.High-r.Low {
			t.Errorf("half the trials know more: %s", fmt.Sprint(r, wider))
		}
	})
}

func TestMeanWatched(t *testing.T) {
	// Of 1, 2, 3 and 4 s: mean 2.5 s, deviation 1.291 s, half width 1.265 s.
	c := upnext.Counts{Watches: 4, Watched: 10_000, Squares: 100 + 400 + 900 + 1600}
	got := MeanWatched(c)
	for i, d := range []float64{got.Value - 2.5, got.Low - 1.235, got.High - 3.765} {
		if d > 1e-3 || d < -1e-3 {
			t.Errorf("number %d of %+v, want 2.5 within 1.235 and 3.765", i, got)
		}
	}
	if got := MeanWatched(upnext.Counts{}); got != (Rate{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
