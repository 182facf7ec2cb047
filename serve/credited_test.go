package serve

import (
	"fmt"
	"testing"
	"time"

	"upnext"
)

// sends takes in events as they are; their ids say what they are.
func (w *world) sends(t upnext.Tenant, events ...upnext.Event) {
	w.t.Helper()
	if _, err := w.rec.Feedback(w.t.Context(), t, events...); err != nil {
		w.t.Fatal(err)
	}
}

// TestSignedIn: who signs in takes their page along, and what they do with it
// is theirs: it outlives the erasure of whom they were, and not their own.
func TestSignedIn(t *testing.T) {
	w := newWorld(t, 3, nil)
	device := upnext.ViewerID{ID: "device", Anonymous: true}
	page := w.asks(upnext.Request{Viewer: device, Scenario: "home"})
	w.sends(tenantT,
		upnext.Event{ID: "seen", Kind: upnext.Impression, Viewer: device, At: w.now, Token: page.Items[0].Token},
		upnext.Event{ID: "other", Kind: upnext.Impression, Viewer: device, At: w.now, Token: page.Items[1].Token})
	w.does("ann", upnext.Event{Kind: upnext.Purchase, Token: page.Items[0].Token})
	w.wants("signed in", upnext.PartScenario, "home", upnext.Counts{Impressions: 2, Conversions: 1})

	if _, err := w.rec.Erase(t.Context(), tenantT, device); err != nil {
		t.Fatal(err)
	}
	w.wants("the device is erased", upnext.PartScenario, "home", upnext.Counts{Impressions: 1, Conversions: 1})
	w.wants("the purchase keeps its place", upnext.PartPosition, "01", upnext.Counts{Impressions: 1, Conversions: 1})
	if _, err := w.rec.Erase(t.Context(), tenantT, user("ann")); err != nil {
		t.Fatal(err)
	}
	w.wants("ann is erased", upnext.PartScenario, "home", upnext.Counts{})
}

// TestReplayed: one shown item counts once, however many events are made of
// its token, and not at all for another known viewer.
func TestReplayed(t *testing.T) {
	w := newWorld(t, 3, nil)
	page := w.page("ann")
	var flood []upnext.Event
	for i := range 50 {
		for _, viewer := range []string{"ann", "mallory"} {
			flood = append(flood, upnext.Event{
				ID: upnext.EventID(fmt.Sprint("flood", i)), Kind: upnext.Conversion, Viewer: user(viewer), At: w.now, Token: page.Items[i%2].Token,
				Watch: &upnext.Watch{Watched: 20 * time.Second},
			})
		}
	}
	w.sends(tenantT, flood...)
	w.sends(tenantT, flood...) // and again: none of them is new
	w.wants("a flood", upnext.PartScenario, "home", upnext.Counts{
		Impressions: 2, Conversions: 2, Watches: 2, Timed: 2, ValidViews: 2, Watched: 40_000, Squares: 2 * 200 * 200})
	if got := counted(t, w.rec.meters.measure.attributed.WithLabelValues("rejected")); got != 50 {
		t.Errorf("%g tokens rejected, want mallory's 50", got)
	}
	if got := counted(t, w.rec.meters.measure.attributed.WithLabelValues("token")); got != 50 {
		t.Errorf("%g events attributed, want ann's 50", got)
	}
}

// TestForeignTenant: a token of another tenant of the same server is not ours.
// The event is kept without it.
func TestForeignTenant(t *testing.T) {
	w := newWorld(t, 3, nil)
	page := w.page("ann")
	const other = upnext.Tenant("other")
	item := itemOf(topics[0], 0)
	if _, err := w.cfg.Catalog.Put(t.Context(), other, upnext.Record{Item: item, Hash: "1"}); err != nil {
		t.Fatal(err)
	}
	w.sends(other, upnext.Event{ID: "e", Kind: upnext.Play, Viewer: user("ann"), At: w.now, Item: item.ID, Token: page.Items[0].Token})
	w.now = w.now.Add(2 * settle)
	if err := w.rec.Measure(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []upnext.Tenant{tenantT, other} {
		rows, err := w.rec.Measured(t.Context(), tenant, upnext.MeasureQuery{From: noon.Add(-time.Hour), To: w.now.Add(time.Hour), By: upnext.PartScenario})
		if err != nil || len(rows) != 0 {
			t.Errorf("tenant %s measures %+v, %v; want nothing", tenant, rows, err)
		}
	}
	kept, err := w.store.Events.ByViewer(t.Context(), other, user("ann"), 10)
	if err != nil || len(kept) != 1 || kept[0].Token != "" || kept[0].Context["token_rejected"] == nil {
		t.Errorf("kept %+v, %v; want the event, without its token, and why", kept, err)
	}
}

// TestLate: events that come days later, and in the wrong order, count for the
// hour in which the item was shown.
func TestLate(t *testing.T) {
	w := newWorld(t, 3, nil)
	page := w.page("ann")
	first := page.Items[0]
	w.rec.flushSlates(t.Context())
	acted := w.now.Add(10 * time.Minute)
	at := func(later time.Duration, e upnext.Event) {
		t.Helper()
		w.now = noon.Add(later)
		e.ID, e.Viewer, e.At = upnext.EventID(later.String()), user("ann"), acted
		w.sends(tenantT, e)
		w.measured(upnext.PartScenario)
	}
	at(20*time.Hour, upnext.Event{Kind: upnext.Progress, Item: first.Item, Watch: &upnext.Watch{Watched: 5 * time.Second}})
	at(50*time.Hour, upnext.Event{Kind: upnext.Impression, Token: first.Token})
	at(100*time.Hour, upnext.Event{Kind: upnext.Progress, Item: first.Item, Watch: &upnext.Watch{Watched: 4 * time.Second}})
	at(160*time.Hour, upnext.Event{Kind: upnext.Purchase, Item: first.Item}) // without a token, and nobody knows any more
	at(167*time.Hour, upnext.Event{Kind: upnext.Gift, Amount: 1, Token: first.Token})
	at(169*time.Hour, upnext.Event{Kind: upnext.Conversion, Item: page.Items[1].Item, Token: page.Items[1].Token}) // slates are kept for 168 h

	rows, err := w.rec.Measured(t.Context(), tenantT, upnext.MeasureQuery{From: noon.Add(-time.Hour), To: w.now.Add(time.Hour), By: upnext.PartScenario, Bucket: time.Hour})
	want := upnext.Counts{Impressions: 1, Clicks: 1, Conversions: 1, Watches: 1, Timed: 1, Watched: 5000, Squares: 2500}
	if err != nil || len(rows) != 1 || !rows[0].At.Equal(noon) || rows[0].Counts != want {
		t.Errorf("%+v, %v; want %+v in the hour of %s alone", rows, err, want, noon)
	}

	// Taken back out of order, the rest stays what it was.
	for _, id := range []string{(50 * time.Hour).String(), (20 * time.Hour).String()} {
		if err := w.rec.Retract(t.Context(), tenantT, user("ann"), upnext.EventID(id)); err != nil {
			t.Fatal(err)
		}
	}
	w.wants("less the first watch", upnext.PartScenario, "home", upnext.Counts{Impressions: 1, Clicks: 1, Conversions: 1, Watches: 1, Timed: 1, Watched: 4000, Squares: 1600})
}
