package storetest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func testRetention(t *testing.T, open Open) {
	t.Run("log", func(t *testing.T) { retentionLog(t, open) })
	t.Run("policy", func(t *testing.T) { retentionPolicy(t, open(t, "retention")) })
	t.Run("many", func(t *testing.T) { retentionMany(t, open(t, "retention")) })
}

func retentionLog(t *testing.T, open Open) {
	ctx := t.Context()
	s := open(t, "kept")
	empty, err := s.Retention.Log(ctx, a)
	ok(t, "log", err)
	if empty.ID == 0 || empty.Events != 0 || empty.Slates != 0 {
		t.Errorf("an empty log is %+v, want an id and nothing in it", empty)
	}
	other, err := s.Retention.Log(ctx, b)
	ok(t, "another tenant's log", err)
	if other.ID == empty.ID {
		t.Errorf("two tenants' logs have the id %d", other.ID)
	}
	appended, err := s.Events.Append(ctx, a, stream("ann", 3)...)
	ok(t, "append", err)
	ok(t, "record", s.Slates.Record(ctx, a, upnext.Slate{ID: "1"}, upnext.Slate{ID: "2"}))
	last, err := s.Slates.SlatesSince(ctx, a, 0, 10)
	ok(t, "slates since", err)
	filled := upnext.Log{ID: empty.ID, Events: appended[2].Seq, Slates: last[1].Seq}
	got, err := s.Retention.Log(ctx, a)
	ok(t, "log", err)
	want(t, "log", got, filled)
	ok(t, "close", s.Close())
	got, err = open(t, "kept").Retention.Log(ctx, a)
	ok(t, "log", err)
	want(t, "log after opening again", got, filled)
	got, err = open(t, "another").Retention.Log(ctx, a)
	ok(t, "log of another database", err)
	if got.ID == filled.ID {
		t.Errorf("two databases' logs have the id %d", got.ID)
	}
}

// retentionPolicy compares what is left of any log with what the policy says,
// event by event.
func retentionPolicy(t *testing.T, s Stores) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		tenant := upnext.Tenant(rapid.StringMatching(`[a-z]{12}`).Draw(rt, "tenant"))
		n := rapid.IntRange(1, 40).Draw(rt, "events")
		log := make([]upnext.Event, n)
		for i := range log {
			log[i] = event(rapid.SampledFrom([]string{"ann", "bob", "eve"}).Draw(rt, "viewer"), rapid.IntRange(0, 20).Draw(rt, "at"))
			log[i].ID = upnext.EventID(fmt.Sprint(i))
			log[i].ReceivedAt = noon.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "received")) * time.Hour)
		}
		appended, err := s.Events.Append(ctx, tenant, log...)
		ok(rt, "append", err)
		for i := range log {
			log[i].Seq = appended[i].Seq
		}
		keep := upnext.RetentionPolicy{
			Latest:   rapid.IntRange(0, 10).Draw(rt, "latest"),
			Received: noon.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "before")) * time.Hour),
			Archived: appended[rapid.IntRange(0, n-1).Draw(rt, "archived")].Seq,
		}
		var left []upnext.Event
		for _, e := range log {
			later := 0
			for _, o := range log {
				if o.Viewer == e.Viewer && (o.At.After(e.At) || o.At.Equal(e.At) && o.Seq > e.Seq) {
					later++
				}
			}
			if later < keep.Latest || !e.ReceivedAt.Before(keep.Received) || e.Seq > keep.Archived {
				left = append(left, e)
			}
		}
		pruned, err := s.Retention.PruneEvents(ctx, tenant, keep)
		ok(rt, "prune", err)
		want(rt, "pruned", pruned, n-len(left))
		held, err := s.Events.Since(ctx, tenant, 0, n+1)
		ok(rt, "since", err)
		want(rt, "left", eventIDs(held), eventIDs(left))
	})
}

// retentionMany prunes more viewers than one page and more events than one
// transaction takes, in one tenant alone.
func retentionMany(t *testing.T, s Stores) {
	ctx := t.Context()
	var all []upnext.Event
	for v := range 1_200 {
		all = append(all, stream(fmt.Sprint("v", v), 2)...)
	}
	all = append(all, stream("heavy", 2_500)...)
	for chunk := range slices.Chunk(all, 1_000) {
		_, err := s.Events.Append(ctx, a, chunk...)
		ok(t, "append", err)
	}
	_, err := s.Events.Append(ctx, b, stream("heavy", 10)...)
	ok(t, "append", err)
	keep := upnext.RetentionPolicy{Latest: 1, Received: noon, Archived: math.MaxInt64}
	pruned, err := s.Retention.PruneEvents(ctx, a, keep)
	ok(t, "prune", err)
	want(t, "pruned", pruned, 1_200+2_499)
	held, err := s.Events.ByViewer(ctx, a, upnext.ViewerID{ID: "heavy"}, 10)
	ok(t, "by viewer", err)
	want(t, "the latest stays", eventIDs(held), []upnext.EventID{"heavy-2499"})
	held, err = s.Events.Since(ctx, b, 0, 20)
	ok(t, "since", err)
	want(t, "another tenant's events", len(held), 10)
	pruned, err = s.Retention.PruneEvents(ctx, a, keep)
	ok(t, "prune again", err)
	want(t, "pruned again", pruned, 0)
	again, err := s.Events.Append(ctx, a, event("heavy", 0))
	ok(t, "append a pruned event", err)
	want(t, "a pruned event is no duplicate", again[0].Duplicate, false)
}
