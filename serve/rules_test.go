package serve

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"upnext"
	"upnext/serve/rule"
)

// ruled is a world whose pages follow changed rules, and whose traces tell of
// every candidate.
func ruled(t *testing.T, per int, change func(*rule.Rules)) *world {
	t.Helper()
	return newWorld(t, per, func(c *Config) {
		c.Settings.Unshown = 1000
		change(&c.Settings.Rules)
	})
}

// decisions are those about an item in a traced answer, shown or not.
func decisions(s upnext.Slate, id upnext.ItemID) []upnext.Decision {
	for _, p := range slices.Concat(s.Items, s.Unshown) {
		if p.Item == id {
			return p.Decisions
		}
	}
	return nil
}

func traced(viewer string) upnext.Request {
	return upnext.Request{Viewer: user(viewer), Explain: ExplainTrace}
}

// TestCopies: of one film under two ids one is shown, and neither to who has
// just seen the other.
func TestCopies(t *testing.T) {
	w := ruled(t, 3, func(r *rule.Rules) { r.Duplicates = rule.Duplicates{Recent: 20} })
	first := itemOf("space", 7)
	again := first
	again.ID = "reupload"
	w.put(first, again)
	everything := traced("ann")
	everything.Count = 50
	s := w.asks(everything)
	_, one := find(s, first.ID)
	_, other := find(s, again.ID)
	if one == other {
		t.Fatalf("%v: first %t, again %t; want one of the two", ids(s), one, other)
	}
	shown, left := first.ID, again.ID
	if other {
		shown, left = left, shown
	}
	if want := (upnext.Decision{Rule: "near_duplicate", Action: rule.Dropped, Detail: "of " + string(shown)}); !slices.Contains(decisions(s, left), want) {
		t.Errorf("decisions %v, want %v", decisions(s, left), want)
	}
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: shown})
	if s := w.asks(everything); slices.Contains(ids(s), left) {
		t.Errorf("%s is offered to who has just seen it as %s", left, shown)
	}
	if s := w.asks(upnext.Request{Viewer: user("ann"), Query: first.Title}); !slices.Contains(ids(s), first.ID) && !slices.Contains(ids(s), again.ID) {
		t.Error("a search does not find what was seen")
	}
}

// TestSlots: a place is kept for an item, or for the best that passes an
// expression, and the guard holds for both.
func TestSlots(t *testing.T) {
	fixed, promoted := itemOf("chess", 29).ID, itemOf("cooking", 28).ID
	w := ruled(t, 30, func(r *rule.Rules) {
		r.Slots = []rule.Slot{
			{Name: "final", Place: 3, Item: fixed},
			{Name: "kitchen", Place: 1, If: "'cooking' in tags and creator_id == '" + itemOf("cooking", 28).CreatorID + "'"},
			{Name: "elsewhere", Place: 2, Item: promoted, Scenarios: []string{"player"}},
			{Name: "over", Place: 4, Item: promoted, Until: noon},
		}
	})
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", 1).ID})
	s := w.asks(traced("ann"))
	if s.Items[2].Item != fixed || !strings.HasPrefix(string(s.Items[0].Item), "cooking-") {
		t.Fatalf("%v, want one about cooking first and %s third", ids(s), fixed)
	}
	if want := (upnext.Decision{Rule: "slot", Action: rule.Pinned, Detail: "final"}); !slices.Contains(decisions(s, fixed), want) {
		t.Errorf("decisions %v, want %v", decisions(s, fixed), want)
	}
	if s.Items[1].Item == promoted || s.Items[3].Item == promoted {
		t.Errorf("%v: a slot of another scenario, or of the past, is filled", ids(s))
	}
	if len(ids(s)) != 20 || len(s.Degraded) > 0 {
		t.Errorf("%d items, degraded %v", len(s.Items), s.Degraded)
	}
	if s := w.asks(upnext.Request{Viewer: user("ann"), Scenario: "player"}); s.Items[1].Item != promoted || s.Items[2].Item == fixed {
		t.Errorf("player: %v, want %s second and no final", ids(s), promoted)
	}
	w.does("ann", upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeItem, Item: fixed})
	if s := w.page("ann"); slices.Contains(ids(s), fixed) || len(s.Items) != 20 {
		t.Errorf("%v: a slot is filled with what the viewer has blocked, or left empty", ids(s))
	}
}

// TestSlotMisspelled: an expression that does not parse costs its slot, and the
// answer says so.
func TestSlotMisspelled(t *testing.T) {
	w := ruled(t, 5, func(r *rule.Rules) { r.Slots = []rule.Slot{{Place: 1, If: "nonsense ("}} })
	s := w.page("ann")
	if len(s.Items) != 20 || len(s.Degraded) != 1 || s.Degraded[0].Stage != "slots[0].if" {
		t.Errorf("%d items, degraded %v; want 20 and slots[0].if", len(s.Items), s.Degraded)
	}
}

// TestGuarantee: a tag that nobody asks for gets about the share that it was
// promised, and no more; the answers that give it say why.
func TestGuarantee(t *testing.T) {
	const share = 0.1
	part := func(guaranteed bool) (of float64, raised bool) {
		w := ruled(t, 30, func(r *rule.Rules) {
			if guaranteed {
				r.Guarantees = []rule.Guarantee{{Name: "board", Tag: "chess", Share: share}}
			}
		})
		places, hits := 0, 0
		for round := range 150 {
			viewer := fmt.Sprint("v", round%10)
			if round < 10 {
				w.does(viewer, upnext.Event{Kind: upnext.Like, Item: itemOf("space", round).ID})
				w.does(viewer, upnext.Event{Kind: upnext.Like, Item: itemOf("space", round+1).ID})
			}
			s := w.asks(traced(viewer))
			for _, p := range s.Items {
				raised = raised || slices.ContainsFunc(p.Decisions, func(d upnext.Decision) bool { return d.Action == rule.Raised })
			}
			if round >= 75 {
				places, hits = places+len(s.Items), hits+about(s, "chess")
			}
		}
		return float64(hits) / float64(places), raised
	}
	if without, _ := part(false); without > share/2 {
		t.Fatalf("%.3f of the places without a guarantee: nothing to be seen here", without)
	}
	with, raised := part(true)
	if with < 0.6*share || with > 1.6*share || !raised {
		t.Errorf("%.3f of the places, raised %t; want about %.2f", with, raised, share)
	}
}

// TestSafety: what becomes of a label depends on age, scenario and region.
func TestSafety(t *testing.T) {
	w := ruled(t, 2, func(r *rule.Rules) {
		r.Safety.Rows = append([]rule.SafetyRow{
			{Label: "gore", Treatment: rule.Drop, Scenarios: []string{"kids"}},
			{Label: "gore", Treatment: rule.Drop, Regions: []string{"DE"}},
		}, r.Safety.Rows...)
	})
	bloody := itemOf("space", 1).ID
	label := upnext.Understanding{Safety: []upnext.Label{{Value: "Gore", Confidence: 0.9, Model: "m"}}}
	if err := w.store.Understandings.Believe(t.Context(), tenantT, map[upnext.ItemID]upnext.Understanding{bloody: label}); err != nil {
		t.Fatal(err)
	}
	w.refresh()
	for _, v := range []upnext.Viewer{{ID: user("adult"), BirthYear: 1980}, {ID: user("child"), BirthYear: 2015}} {
		if _, err := w.store.Viewers.PutViewer(t.Context(), tenantT, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		viewer, scenario, region string
		shown                    bool
	}{
		{"adult", "", "FR", true},
		{"child", "", "FR", false},
		{"nobody knows", "", "FR", false},
		{"adult", "kids", "FR", false},
		{"adult", "", "DE", false},
		{"adult", "", "", false}, // it may be DE
	} {
		s := w.asks(upnext.Request{Viewer: user(tt.viewer), Scenario: tt.scenario, Region: tt.region})
		p, shown := find(s, bloody)
		if shown != tt.shown || shown && p.Blur != "gore" {
			t.Errorf("%+v: shown %t, blur %q", tt, shown, p.Blur)
		}
		for _, p := range s.Items {
			if p.Item != bloody && p.Blur != "" {
				t.Errorf("%s has no label, and is blurred for %s", p.Item, p.Blur)
			}
		}
	}
}

// TestCalibration: who took to seven films of one topic and three of another
// finds a page in about these proportions.
func TestCalibration(t *testing.T) {
	of := func(weight float64) (space, chess int) {
		w := ruled(t, 40, func(r *rule.Rules) {
			r.Calibration.Weight, r.Diversity.Dial, r.Creators = weight, 0, rule.Cap{}
		})
		for i := range 10 {
			w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf([]string{"chess", "space"}[min(1, i/3)], i).ID})
		}
		s := w.page("ann")
		return about(s, "space"), about(s, "chess")
	}
	space, chess := of(0)
	more, others := of(0.9)
	t.Logf("space and chess: %d and %d by score, %d and %d calibrated", space, chess, more, others)
	if others < 4 || others > 8 || more < 11 || chess == others {
		t.Errorf("%d and %d of 20, want about 14 and 6 (%d and %d by score)", more, others, space, chess)
	}
}

// TestWindow: with one of a maker in four places no two stand nearer.
func TestWindow(t *testing.T) {
	w := ruled(t, 30, func(r *rule.Rules) { r.Creators = rule.Cap{Places: 1, Within: 4} })
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", 1).ID})
	s := w.asks(traced("ann"))
	last := map[string]int{}
	for i, p := range s.Items {
		rec, _ := w.rec.Record(tenantT, p.Item)
		if at, met := last[rec.Item.CreatorID]; met && i-at < 4 {
			t.Errorf("places %d and %d are of %s", at+1, i+1, rec.Item.CreatorID)
		}
		last[rec.Item.CreatorID] = i
	}
	if !slices.ContainsFunc(slices.Concat(s.Items, s.Unshown), func(p upnext.Placed) bool {
		return slices.ContainsFunc(p.Decisions, func(d upnext.Decision) bool { return d.Rule == "creator_cap" })
	}) {
		t.Error("no decision of creator_cap")
	}
}

// TestDial: what the caller asks for is what the page is, by both methods.
func TestDial(t *testing.T) {
	for _, method := range []rule.Method{rule.MMR, rule.DPP} {
		w := ruled(t, 30, func(r *rule.Rules) { r.Diversity.Method = method })
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", 1).ID})
		last := -1.0
		for _, dial := range []float64{0, 0.3, 0.9} {
			req := traced("ann")
			req.Diversity = &dial
			got := w.asks(req).Variety["diversity"]
			if got <= last {
				t.Errorf("%s: diversity %.3f at %.1f, %.3f before", method, got, dial, last)
			}
			last = got
		}
	}
}

// TestPromisesAreTold: metrics say how each guarantee is doing.
func TestPromisesAreTold(t *testing.T) {
	reg := prometheus.NewRegistry()
	w := newWorld(t, 10, func(c *Config) {
		c.Metrics = reg
		c.Settings.Rules.Guarantees = []rule.Guarantee{{Name: "chess", Tag: "chess", Share: 0.2}}
	})
	w.page("ann")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			if len(m.Label) == 2 && m.Label[0].GetValue() == "chess" {
				told[f.GetName()] = m.Gauge.GetValue()
			}
		}
	}
	if len(told) != 2 || told["upnext_guarantee_odds"] <= 0 || told["upnext_guarantee_rate"] < 0 {
		t.Errorf("metrics tell %v", told)
	}
	twice := w.cfg.Settings.Rules
	twice.Guarantees = append(twice.Guarantees, twice.Guarantees[0])
	if err := twice.Validate(); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("two guarantees of one name: %v", err)
	}
}
