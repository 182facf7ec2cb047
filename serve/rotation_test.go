package serve

import (
	"errors"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/serve/rule"
)

// TestRotation: in a scenario that sets it, what was served does not come again
// within the time, at no replica and after a restart; then it may. Other scenarios
// and other viewers do not feel it.
func TestRotation(t *testing.T) {
	w := newWorld(t, 20, func(c *Config) { c.Settings.Rules.RotationMS = map[string]int64{"feed": time.Hour.Milliseconds()} })
	w.history("ann")
	req := upnext.Request{Viewer: user("ann"), Scenario: "feed", Count: 10, Explain: ExplainTrace}
	home := w.page("ann")
	other := w.replica()
	var met []upnext.ItemID
	for try := range 4 {
		rec := []*Recommender{w.rec, other, w.replica(), other}[try]
		s, err := rec.Recommend(t.Context(), tenantT, req)
		if err != nil || len(s.Items) != 10 || len(s.Degraded) > 0 {
			t.Fatalf("%d: %v, %v, degraded %v", try, ids(s), err, s.Degraded)
		}
		for _, id := range ids(s) {
			if slices.Contains(met, id) {
				t.Errorf("answer %d: %s was served within the hour", try, id)
			}
		}
		if try > 0 && !slices.ContainsFunc(s.Trace.Sources, func(b upnext.Brought) bool { return b.Turned[string(rule.Served)] > 0 }) {
			t.Errorf("answer %d: the trace does not tell of what was served", try)
		}
		met = append(met, ids(s)...)
		if try%2 == 0 { // at this one it waits in memory, from the other it is in the store
			rec.flushSlates(t.Context())
		} else {
			other.flushSlates(t.Context())
		}
		w.now = w.now.Add(time.Minute)
	}
	why, err := w.rec.WhyNot(t.Context(), tenantT, req, met[0])
	if err != nil || why.Stage != StageGuard || why.Rule != string(rule.Served) {
		t.Errorf("why not %s: %s %s, %v; want that it was served", met[0], why.Stage, why.Rule, err)
	}
	if again := w.page("ann"); !slices.Equal(ids(again), ids(home)) {
		t.Errorf("home has no rotation, and changed: %v, then %v", ids(home), ids(again))
	}
	req.Viewer = user("bob")
	if s := w.asks(req); !slices.ContainsFunc(ids(s), func(id upnext.ItemID) bool { return slices.Contains(met, id) }) {
		t.Errorf("bob is served nothing of what ann was: %v", ids(s))
	}
	req.Viewer = user("ann")
	w.now = w.now.Add(2 * time.Hour)
	if s := w.asks(req); !slices.ContainsFunc(ids(s), func(id upnext.ItemID) bool { return slices.Contains(met, id) }) {
		t.Errorf("two hours later nothing has come again: %v", ids(s))
	}
	bad := w.cfg.Settings.Rules
	bad.RotationMS = map[string]int64{"feed": -1}
	if err := bad.Validate(); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a rotation below nothing: %v", err)
	}
}
