package serve

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"upnext"
)

// known makes every item of the world one that many have met, but for some.
func (w *world) known(but ...upnext.ItemID) {
	w.t.Helper()
	for i := range 20 {
		var events []upnext.Event
		for _, topic := range topics {
			for n := range w.per {
				if id := itemOf(topic, n).ID; !slices.Contains(but, id) {
					for _, kind := range []upnext.EventKind{upnext.Impression, upnext.Impression, upnext.Impression} {
						w.n++
						events = append(events, upnext.Event{ID: upnext.EventID(fmt.Sprint("k", w.n)), Kind: kind, At: w.now, Viewer: user(fmt.Sprint("other", i)), Item: id})
					}
				}
			}
		}
		if _, err := w.rec.Feedback(w.t.Context(), tenantT, events...); err != nil {
			w.t.Fatal(err)
		}
	}
	w.now = w.now.Add(2 * exploreEvery) // chances are counted anew
	w.refresh()
}

// TestExplore: of a page of twenty one place goes to an item that few have met; the
// token, the slate and the trace have its propensity; the same page comes again
// until the viewer does something; and it is left out where the caller says so.
func TestExplore(t *testing.T) {
	w := newWorld(t, 12, nil)
	cold := []upnext.ItemID{"chess-010", "space-011", "music-009", "travel-011"}
	w.known(cold...)
	zero := 0.0
	drawn := map[upnext.ItemID]float64{}
	said := map[upnext.ItemID]float64{}
	const viewers = 400
	for v := range viewers {
		req := upnext.Request{Viewer: user(fmt.Sprint("v", v)), Filter: "not ('music' in tags)", Explain: "trace", Unrecorded: true}
		s := w.asks(req)
		if again := w.asks(req); !slices.Equal(ids(again), ids(s)) {
			t.Fatalf("asked again: %v, before %v", ids(again), ids(s))
		}
		n := 0
		for _, p := range s.Items {
			if !slices.Equal(p.Sources, []string{"explore"}) {
				if p.Propensity != 1 {
					t.Fatalf("%s of %v has propensity %v", p.Item, p.Sources, p.Propensity)
				}
				continue
			}
			n++
			claim, err := w.rec.Verify(tenantT, p.Token)
			if err != nil || math.Abs(claim.Propensity-p.Propensity) > 1e-6 || !(p.Propensity > 0 && p.Propensity < 1) {
				t.Fatalf("%s: propensity %v, in the token %v (%v)", p.Item, p.Propensity, claim.Propensity, err)
			}
			if !slices.Contains(cold, p.Item) || p.Item == "music-009" {
				t.Fatalf("%s is explored", p.Item)
			}
			if len(p.Features) == 0 || p.Rank != 13 || len(p.Decisions) == 0 || p.Decisions[0].Detail != "explore" || p.Reasons[0].Code != "to_discover" {
				t.Fatalf("explored: %+v", p)
			}
			drawn[p.Item]++
			said[p.Item] = p.Propensity
		}
		if n > 1 {
			t.Fatalf("%d explored on one page", n)
		}
		req.Explore = &zero
		for _, p := range w.asks(req).Items {
			if slices.Equal(p.Sources, []string{"explore"}) {
				t.Fatal("explored though the caller said not to")
			}
		}
	}
	if len(drawn) == 0 {
		t.Fatal("nothing was explored")
	}
	for item, n := range drawn {
		if p := said[item]; math.Abs(n/viewers-p) > 5*math.Sqrt(p*(1-p)/viewers) {
			t.Errorf("%s: shown to %.3f of the viewers, propensity %.3f", item, n/viewers, p)
		}
	}
	before := w.page("v1")
	moved := false
	for i := range 12 {
		w.does("v1", upnext.Event{Kind: upnext.Search, Query: fmt.Sprint("chess ", i)})
		moved = moved || !slices.Equal(ids(w.page("v1")), ids(before))
	}
	if !moved {
		t.Error("twelve events later the same items are explored")
	}
}

// TestExploreEnds: what has been shown often enough is explored no more, and an
// impression taken back counts no more.
func TestExploreEnds(t *testing.T) {
	w := newWorld(t, 12, nil)
	w.known("chess-010")
	tn := w.rec.tenant(tenantT)
	arms := func() int { return len(tn.chances.Load().arms) }
	if arms() != 1 {
		t.Fatalf("%d items are explored, want 1", arms())
	}
	var shown []upnext.EventID
	for range w.cfg.Settings.Explore.Until {
		shown = append(shown, w.does("ann", upnext.Event{Kind: upnext.Impression, Item: "chess-010"}))
	}
	w.now = w.now.Add(exploreEvery)
	w.refresh()
	if arms() != 0 {
		t.Fatalf("%d items are explored after %d impressions", arms(), len(shown))
	}
	if err := w.rec.Retract(t.Context(), tenantT, user("ann"), shown[0]); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.refresh()
	if arms() != 1 {
		t.Error("an impression that was taken back counts")
	}
}
