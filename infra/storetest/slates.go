package storetest

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func testSlates(t *testing.T, open Open) {
	t.Run("round trip", func(t *testing.T) { slateRoundTrip(t, open(t, "slates")) })
	t.Run("since", func(t *testing.T) { slateSince(t, open(t, "slates")) })
	t.Run("erase", func(t *testing.T) { slateErase(t, open(t, "slates")) })
	t.Run("prune", func(t *testing.T) { slatePrune(t, open(t, "slates")) })
	t.Run("traces", func(t *testing.T) { slateTraces(t, open(t, "slates")) })
}

func slateRoundTrip(t *testing.T, s Stores) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		in := slates().Draw(rt, "slate")
		ok(rt, "record", s.Slates.Record(ctx, a, in))
		out, err := s.Slates.Slate(ctx, a, in.ID)
		ok(rt, "slate", err)
		if in.Seq = out.Seq; out.Seq <= 0 {
			rt.Errorf("slate %s: seq %d, want one above 0", in.ID, out.Seq)
		}
		want(rt, "slate", out, in)
		in.Trace = nil
		after, err := s.Slates.SlatesSince(ctx, a, in.Seq-1, 1)
		ok(rt, "slates since", err)
		want(rt, "slates since", after, []upnext.Slate{in})
	})
	ok(t, "record nothing", s.Slates.Record(ctx, a))
	bad := upnext.Slate{ID: "bad", Items: []upnext.Placed{{Item: "x", Score: math.NaN()}}}
	err := s.Slates.Record(ctx, a, upnext.Slate{ID: "good"}, bad)
	is(t, "a score that is no number", err, upnext.ErrInvalid)
	_, err = s.Slates.Slate(ctx, a, "good")
	is(t, "beside a bad one", err, upnext.ErrNotFound)
}

// slateSince follows the slates while others record them: nothing is missed,
// and nothing comes out of order.
func slateSince(t *testing.T, s Stores) {
	ctx := t.Context()
	const writers, each = 4, 40
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				first := upnext.Slate{ID: upnext.SlateID(fmt.Sprintf("%d-%d-0", w, n)), Shortfall: 2 * n}
				second := upnext.Slate{ID: upnext.SlateID(fmt.Sprintf("%d-%d-1", w, n)), Shortfall: 2*n + 1}
				if err := s.Slates.Record(ctx, a, first, second); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	next := map[byte]int{} // each writer's slates come in its own order
	var seen []upnext.Slate
	for after, last := int64(0), false; ; {
		page, err := s.Slates.SlatesSince(ctx, a, after, 7)
		ok(t, "slates since", err)
		for _, slate := range page {
			if slate.Seq <= after {
				t.Fatalf("seq %d after %d", slate.Seq, after)
			}
			after = slate.Seq
			writer := slate.ID[0]
			if slate.Shortfall != next[writer] {
				t.Fatalf("slate %s is number %d, want %d", slate.ID, slate.Shortfall, next[writer])
			}
			next[writer]++
		}
		seen = append(seen, page...)
		if len(page) == 0 && last {
			break
		}
		select {
		case <-ended:
			last = true
		default:
		}
	}
	want(t, "slates seen", len(seen), writers*each*2)

	replaced := seen[3]
	replaced.Variant, replaced.Seq = "b", 0
	ok(t, "replace", s.Slates.Record(ctx, a, replaced))
	page, err := s.Slates.SlatesSince(ctx, a, seen[2].Seq, 1)
	ok(t, "slates since", err)
	replaced.Seq = seen[3].Seq
	want(t, "a replaced slate", page, []upnext.Slate{replaced})
	ok(t, "record", s.Slates.Record(ctx, b, upnext.Slate{ID: "other"}))
	page, err = s.Slates.SlatesSince(ctx, a, seen[len(seen)-1].Seq, 10)
	ok(t, "slates since", err)
	want(t, "another tenant's slate", len(page), 0)
}

func slateErase(t *testing.T, s Stores) {
	ctx := t.Context()
	ann, bob := upnext.ViewerID{ID: "ann"}, upnext.ViewerID{ID: "bob"}
	ok(t, "record", s.Slates.Record(ctx, a,
		upnext.Slate{ID: "1", Viewer: ann, Scenario: "home"}, upnext.Slate{ID: "2", Viewer: bob}, upnext.Slate{ID: "3", Viewer: ann}))
	ok(t, "record in another tenant", s.Slates.Record(ctx, b, upnext.Slate{ID: "1", Viewer: ann, Scenario: "similar"}))
	ok(t, "replace", s.Slates.Record(ctx, a, upnext.Slate{ID: "1", Viewer: ann, Scenario: "search"}))
	got, err := s.Slates.Slate(ctx, a, "1")
	ok(t, "slate", err)
	want(t, "replaced", got.Scenario, "search")

	n, err := s.Slates.EraseSlates(ctx, a, ann)
	ok(t, "erase", err)
	want(t, "erased", n, 2)
	for _, id := range []upnext.SlateID{"1", "3"} {
		_, err = s.Slates.Slate(ctx, a, id)
		is(t, "erased "+string(id), err, upnext.ErrNotFound)
	}
	_, err = s.Slates.Slate(ctx, a, "2")
	ok(t, "another viewer's slate", err)
	got, err = s.Slates.Slate(ctx, b, "1")
	ok(t, "another tenant's slate", err)
	want(t, "another tenant's slate", got.Scenario, "similar")
}

func slatePrune(t *testing.T, s Stores) {
	ctx := t.Context()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var old []upnext.Slate
	for i := range 1_500 { // more than one transaction's
		old = append(old, upnext.Slate{ID: upnext.SlateID(fmt.Sprint("old", i)), At: at.Add(-time.Duration(i+1) * time.Second)})
	}
	ok(t, "record", s.Slates.Record(ctx, a, append(old, upnext.Slate{ID: "new", At: at})...))
	ok(t, "record", s.Slates.Record(ctx, b, old[0], upnext.Slate{ID: "new", At: at.Add(time.Hour)}))
	n, err := s.Slates.Prune(ctx, at, at)
	ok(t, "prune", err)
	want(t, "pruned in every tenant", n, len(old)+1)
	for _, tenant := range []upnext.Tenant{a, b} {
		_, err = s.Slates.Slate(ctx, tenant, "old0")
		is(t, "an old slate", err, upnext.ErrNotFound)
		_, err = s.Slates.Slate(ctx, tenant, "new")
		ok(t, "a new slate", err)
	}
	n, err = s.Slates.Prune(ctx, at, at)
	ok(t, "prune again", err)
	want(t, "pruned again", n, 0)
}

// slateTraces: a trace goes before its slate, or with it, in its own tenant.
func slateTraces(t *testing.T, s Stores) {
	ctx := t.Context()
	at := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	ann, bob := upnext.ViewerID{ID: "ann"}, upnext.ViewerID{ID: "bob"}
	trace := &upnext.Trace{Candidates: []upnext.Placed{{Item: "x", Score: 0.5}}, Omitted: 3}
	put := func(tenant upnext.Tenant, id upnext.SlateID, v upnext.ViewerID, at time.Time) {
		t.Helper()
		ok(t, "record", s.Slates.Record(ctx, tenant, upnext.Slate{ID: id, Viewer: v, At: at, Trace: trace}))
	}
	has := func(tenant upnext.Tenant, id upnext.SlateID) bool {
		t.Helper()
		slate, err := s.Slates.Slate(ctx, tenant, id)
		ok(t, "slate "+string(id), err)
		return slate.Trace != nil
	}
	put(a, "old", bob, at.Add(-time.Microsecond))
	put(a, "new", bob, at)
	put(a, "ann", ann, at)
	put(b, "new", ann, at)
	n, err := s.Slates.Prune(ctx, at.Add(-time.Hour), at)
	ok(t, "prune", err)
	want(t, "slates pruned with a trace", n, 0)
	want(t, "the old trace is there", has(a, "old"), false)
	want(t, "the new trace is there", has(a, "new"), true)

	_, err = s.Slates.EraseSlates(ctx, a, ann)
	ok(t, "erase", err)
	ok(t, "record what was erased, untraced", s.Slates.Record(ctx, a, upnext.Slate{ID: "ann", Viewer: ann, At: at}))
	want(t, "the erased trace is there", has(a, "ann"), false)
	want(t, "another tenant's is", has(b, "new"), true)

	n, err = s.Slates.Prune(ctx, at.Add(time.Hour), at)
	ok(t, "prune", err)
	want(t, "pruned", n, 4)
	ok(t, "record what was pruned, untraced", s.Slates.Record(ctx, a, upnext.Slate{ID: "new", At: at}))
	want(t, "a trace outlived its slate", has(a, "new"), false)
}
