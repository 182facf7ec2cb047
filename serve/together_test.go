package serve

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
	"upnext/serve/rule"
)

// reader pages on under one recommendation.
type reader struct {
	req      upnext.Request
	next     string
	returned map[upnext.ItemID]bool
}

// reads makes its first or next page, and reports the first thing wrong with it.
// Something changes meanwhile: what may be shown is what may be by the state
// before it or by that after it.
func (r *reader) reads(w *world, before, after expected) error {
	var s upnext.Slate
	var err error
	if r.next == "" {
		s, err = w.rec.Recommend(w.t.Context(), tenantT, r.req)
		r.returned = map[upnext.ItemID]bool{}
	} else {
		s, _, err = w.rec.Next(w.t.Context(), tenantT, r.next, 0)
	}
	gone := slices.ContainsFunc(r.req.Like, func(id upnext.ItemID) bool { _, ok := after.items[id]; return !ok })
	if gone && errors.Is(err, upnext.ErrNotFound) { // nothing is similar to what has gone: another request next time
		r.next = ""
		return nil
	}
	if err != nil {
		return fmt.Errorf("%+v: %w", r.req, err)
	}
	for _, p := range s.Items {
		if why := before.forbids(r.req, p.Item); why != "" && after.forbids(r.req, p.Item) != "" {
			return fmt.Errorf("%s %s: %+v\nrequest %+v\nevents %+v", p.Item, why, after.items[p.Item], r.req, after.did)
		}
		if r.returned[p.Item] {
			return fmt.Errorf("%s is returned twice under one recommendation\nrequest %+v", p.Item, r.req)
		}
		r.returned[p.Item] = true
	}
	r.next = s.Next
	return nil
}

// TestGuardTogether draws catalogues, histories, updates and requests that read
// on, all at once and under every rule: nothing blocked, expired, out of region,
// under age, filtered, unwanted, seen or returned before is ever returned.
func TestGuardTogether(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var clock atomic.Int64 // requests read it while the world's own goes on
		w := newWorld(t, 0, func(c *Config) {
			c.Now = func() time.Time { return time.Unix(0, clock.Load()).UTC() }
			c.Settings.Rules = everyRule(rt)
		})
		clock.Store(w.now.UnixNano())
		x := expected{items: map[upnext.ItemID]upnext.Item{}}
		for range rapid.IntRange(20, 40).Draw(rt, "items") {
			it := drawItem(rt, w.now)
			x.items[it.ID] = it
		}
		var all []upnext.Item
		for _, id := range sortedIDs(x.items) {
			all = append(all, x.items[id])
		}
		w.put(all...)
		x.told = upnext.Viewer{ID: user("ann"), Region: "CN", BirthYear: rapid.SampledFrom([]int{0, 1980, 2010}).Draw(rt, "born")}
		if _, err := w.store.Viewers.PutViewer(t.Context(), tenantT, x.told); err != nil {
			rt.Fatal(err)
		}
		readers := make([]reader, 4)
		for range rapid.IntRange(2, 6).Draw(rt, "steps") {
			before := expected{items: maps.Clone(x.items), did: slices.Clone(x.did), told: x.told}
			change := drawChange(rt, w, &x)
			x.now = w.now.Add(time.Second)
			before.now = x.now
			clock.Store(x.now.UnixNano())
			for i := range readers {
				if r := &readers[i]; r.next == "" {
					r.req = drawRequest(rt, expected{items: intersection(before.items, x.items)})
					r.req.Count = rapid.IntRange(1, 6).Draw(rt, "few")
				}
			}
			errs := make([]error, len(readers))
			var wg sync.WaitGroup
			for i := range readers {
				wg.Go(func() { errs[i] = readers[i].reads(w, before, x) })
			}
			change()
			wg.Wait()
			for _, err := range errs {
				if err != nil {
					rt.Fatal(err)
				}
			}
			w.now = x.now
			last := reader{req: upnext.Request{Viewer: user("ann"), Session: "s1", Count: 50}}
			if err := last.reads(w, x, x); err != nil { // what was acknowledged holds
				rt.Fatalf("after the change: %v", err)
			}
		}
	})
}

// drawChange draws an event, an item that changes or one that goes. x knows of it
// when drawChange returns; it happens when what is returned is called.
func drawChange(rt *rapid.T, w *world, x *expected) (happen func()) {
	switch rapid.IntRange(0, 3).Draw(rt, "change") {
	case 0:
		it := drawItem(rt, w.now)
		x.items[it.ID] = it
		return func() { w.put(it) }
	case 1: // from the catalogue alone: the index lags
		id := drawID(rt)
		delete(x.items, id)
		return func() {
			if _, err := w.store.Catalog.Delete(w.t.Context(), tenantT, id); err != nil {
				w.t.Error(err)
			}
			w.refresh()
		}
	}
	e := drawEvent(rt)
	e.At = w.now.Add(time.Second) // as does has it
	x.did = append(x.did, e)
	return func() { w.does("ann", e) }
}

// intersection are the items of a that are in b too: what similar ones can be
// wanted for while b replaces a.
func intersection(a, b map[upnext.ItemID]upnext.Item) map[upnext.ItemID]upnext.Item {
	both := maps.Clone(a)
	maps.DeleteFunc(both, func(id upnext.ItemID, _ upnext.Item) bool { _, ok := b[id]; return !ok })
	return both
}

// everyRule draws rules of every kind, slots and guarantees for items that may
// not be shown among them.
func everyRule(rt *rapid.T) rule.Rules {
	r := rule.DefaultRules()
	r.Diversity.Method = rapid.SampledFrom([]rule.Method{rule.MMR, rule.DPP}).Draw(rt, "method")
	r.Creators = rule.Cap{Share: 0.2, Places: 1, Within: 2}
	r.Duplicates = rule.Duplicates{Cosine: 0.99, Recent: 20}
	r.Calibration.Weight = rapid.SampledFrom([]float64{0, 0.5}).Draw(rt, "calibration")
	r.Slots = []rule.Slot{{Place: 1, Item: drawID(rt)}, {Place: 2, If: "'space' in tags"}}
	r.Guarantees = []rule.Guarantee{
		{Name: "item", Item: drawID(rt), Share: 0.5}, {Name: "maker", Creator: "c-space-1", Share: 0.5}, {Name: "tag", Tag: "cooking", PerHour: 1e6},
	}
	return r
}
