package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func testEvents(t *testing.T, open Open) {
	for _, part := range []struct {
		name string
		test func(*testing.T, Stores)
	}{
		{"round trip", eventRoundTrip},
		{"once", eventOnce},
		{"all or none", eventAllOrNone},
		{"retract", eventRetract},
		{"by viewer", eventByViewer},
		{"erase", eventErase},
		{"together", eventTogether},
		{"since", eventSince},
		{"cancelled", eventCancelled},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, open(t, "events")) })
	}
	t.Run("closed", func(t *testing.T) { eventClosed(t, open) })
}

// noon is when the test's events happen.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// event returns the n-th event of a viewer, n seconds after noon.
func event(viewer string, n int) upnext.Event {
	return upnext.Event{
		ID: upnext.EventID(fmt.Sprintf("%s-%d", viewer, n)), Kind: upnext.View, Item: "x",
		At: noon.Add(time.Duration(n) * time.Second), Viewer: upnext.ViewerID{ID: viewer},
	}
}

func stream(viewer string, n int) []upnext.Event {
	events := make([]upnext.Event, n)
	for i := range events {
		events[i] = event(viewer, i)
	}
	return events
}

func eventIDs(events []upnext.Event) []upnext.EventID {
	ids := make([]upnext.EventID, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

func eventRoundTrip(t *testing.T, s Stores) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		in := events().Draw(rt, "event")
		_, err := s.Events.Erase(ctx, a, in.Viewer)
		ok(rt, "erase", err)
		appended, err := s.Events.Append(ctx, a, in)
		ok(rt, "append", err)
		in.Seq = appended[0].Seq
		got, err := s.Events.ByViewer(ctx, a, in.Viewer, 10)
		ok(rt, "by viewer", err)
		want(rt, "by viewer", got, []upnext.Event{in})
		got, err = s.Events.Since(ctx, a, in.Seq-1, 10)
		ok(rt, "since", err)
		want(rt, "since", got, []upnext.Event{in})
		out, err := s.Events.Retract(ctx, a, in.Viewer, in.ID)
		ok(rt, "retract", err)
		want(rt, "retracted", out, in)
	})
}

func eventOnce(t *testing.T, s Stores) {
	ctx := t.Context()
	got, err := s.Events.Append(ctx, a)
	ok(t, "append nothing", err)
	want(t, "nothing", got, nil)
	first, err := s.Events.Append(ctx, a, event("ann", 1), event("ann", 2), event("ann", 1))
	ok(t, "append", err)
	if first[0].Duplicate || first[1].Duplicate || first[0].Seq <= 0 || first[1].Seq <= first[0].Seq {
		t.Errorf("new events: %+v, want growing seqs", first)
	}
	want(t, "a duplicate in one call", first[2], upnext.Appended{Duplicate: true})
	changed := event("ann", 2)
	changed.Kind = upnext.Like
	second, err := s.Events.Append(ctx, a, changed, event("ann", 3))
	ok(t, "append", err)
	want(t, "a duplicate of an earlier call", second[0], upnext.Appended{Duplicate: true})
	if second[1].Duplicate || second[1].Seq <= first[1].Seq {
		t.Errorf("a new one beside it: %+v, want a seq above %d", second[1], first[1].Seq)
	}
	held, err := s.Events.ByViewer(ctx, a, upnext.ViewerID{ID: "ann"}, 10)
	ok(t, "by viewer", err)
	want(t, "held", eventIDs(held), []upnext.EventID{"ann-3", "ann-2", "ann-1"})
	want(t, "the first of an id stays", held[1].Kind, upnext.View)

	// Another viewer, an anonymous one and another tenant have ids of their own.
	for _, viewer := range []upnext.ViewerID{{ID: "bob"}, {ID: "ann", Anonymous: true}} {
		e := event("ann", 1)
		e.Viewer = viewer
		got, err := s.Events.Append(ctx, a, e)
		ok(t, "append", err)
		want(t, "the same id from "+viewer.String(), got[0].Duplicate, false)
	}
	got, err = s.Events.Append(ctx, b, event("ann", 1))
	ok(t, "append", err)
	want(t, "the same id in another tenant", got[0].Duplicate, false)
	held, err = s.Events.Since(ctx, b, 0, 10)
	ok(t, "since", err)
	want(t, "the other tenant's", eventIDs(held), []upnext.EventID{"ann-1"})
}

func eventAllOrNone(t *testing.T, s Stores) {
	bad := event("ann", 2)
	bad.Value = math.NaN()
	_, err := s.Events.Append(t.Context(), a, event("ann", 1), bad)
	is(t, "a value that is no number", err, upnext.ErrInvalid)
	bad = event("ann", 2)
	bad.Context = map[string]any{"f": func() {}}
	_, err = s.Events.Append(t.Context(), a, event("ann", 1), bad)
	is(t, "a context that is no JSON", err, upnext.ErrInvalid)
	held, err := s.Events.Since(t.Context(), a, 0, 10)
	ok(t, "since", err)
	want(t, "held", eventIDs(held), nil)
}

func eventRetract(t *testing.T, s Stores) {
	ctx := t.Context()
	shared := event("ann", 1)
	shared.Viewer = upnext.ViewerID{ID: "bob"}
	appended, err := s.Events.Append(ctx, a, event("ann", 1), shared, event("ann", 2))
	ok(t, "append", err)
	_, err = s.Events.Append(ctx, b, event("ann", 2), event("ann", 9))
	ok(t, "append", err)

	nobody := upnext.ViewerID{}
	_, err = s.Events.Retract(ctx, a, nobody, "ann-1")
	is(t, "an id of two viewers", err, upnext.ErrConflict)
	_, err = s.Events.Retract(ctx, a, nobody, "ann-9")
	is(t, "another tenant's event", err, upnext.ErrNotFound)
	_, err = s.Events.Retract(ctx, a, upnext.ViewerID{ID: "bob"}, "ann-2")
	is(t, "another viewer's event", err, upnext.ErrNotFound)

	got, err := s.Events.Retract(ctx, a, upnext.ViewerID{ID: "bob"}, "ann-1")
	ok(t, "retract bob's", err)
	shared.Seq = appended[1].Seq
	want(t, "bob's", got, shared)
	got, err = s.Events.Retract(ctx, a, nobody, "ann-1")
	ok(t, "retract what one viewer is left with", err)
	want(t, "ann's", got.Viewer.ID, "ann")
	_, err = s.Events.Retract(ctx, a, nobody, "ann-1")
	is(t, "retract again", err, upnext.ErrNotFound)

	withdrawn := func(tenant upnext.Tenant, n int64) {
		t.Helper()
		got, err := s.Withdrawals.Withdrawn(ctx, tenant)
		ok(t, "withdrawn", err)
		want(t, "withdrawn", got, n)
	}
	withdrawn(a, 2)
	withdrawn(b, 0)
	held, err := s.Events.Since(ctx, a, 0, 10)
	ok(t, "since", err)
	want(t, "left", eventIDs(held), []upnext.EventID{"ann-2"})
	_, err = s.Events.Erase(ctx, a, upnext.ViewerID{ID: "ann"})
	ok(t, "erase", err)
	withdrawn(a, 3)
	_, err = s.Merges.Merge(ctx, a, upnext.ViewerID{ID: "somebody", Anonymous: true}, upnext.ViewerID{ID: "ann"}, time.Now())
	ok(t, "merge", err)
	withdrawn(a, 4)
	again, err := s.Events.Append(ctx, a, event("ann", 1))
	ok(t, "append a retracted id", err)
	if again[0].Duplicate || again[0].Seq <= appended[2].Seq {
		t.Errorf("a retracted id again: %+v, want a new event, its seq above %d", again[0], appended[2].Seq)
	}
}

func eventByViewer(t *testing.T, s Stores) {
	ctx := t.Context()
	late := stream("ann", 6)
	slices.Reverse(late) // At and order of acceptance differ
	tie := event("ann", 3)
	tie.ID = "ann-3-later"
	_, err := s.Events.Append(ctx, a, append(late, tie, event("bob", 100))...)
	ok(t, "append", err)
	got, err := s.Events.ByViewer(ctx, a, upnext.ViewerID{ID: "ann"}, 100)
	ok(t, "by viewer", err)
	want(t, "newest first", eventIDs(got), []upnext.EventID{"ann-5", "ann-4", "ann-3-later", "ann-3", "ann-2", "ann-1", "ann-0"})
	got, err = s.Events.ByViewer(ctx, a, upnext.ViewerID{ID: "ann"}, 2)
	ok(t, "by viewer", err)
	want(t, "the latest two", eventIDs(got), []upnext.EventID{"ann-5", "ann-4"})
	for _, viewer := range []upnext.ViewerID{{ID: "ann", Anonymous: true}, {ID: "an"}, {}} {
		got, err = s.Events.ByViewer(ctx, a, viewer, 100)
		ok(t, "by viewer", err)
		want(t, "events of "+viewer.String(), eventIDs(got), nil)
	}
}

func eventErase(t *testing.T, s Stores) {
	ctx := t.Context()
	anon := event("ann", 0)
	anon.Viewer.Anonymous = true
	_, err := s.Events.Append(ctx, a, append(stream("ann", 5), event("bob", 1), anon)...)
	ok(t, "append", err)
	_, err = s.Events.Append(ctx, b, event("ann", 1))
	ok(t, "append", err)
	n, err := s.Events.Erase(ctx, a, upnext.ViewerID{ID: "ann"})
	ok(t, "erase", err)
	want(t, "erased", n, 5)
	n, err = s.Events.Erase(ctx, a, upnext.ViewerID{ID: "ann"})
	ok(t, "erase again", err)
	want(t, "erased again", n, 0)
	held, err := s.Events.Since(ctx, a, 0, 10)
	ok(t, "since", err)
	want(t, "the others' events", eventIDs(held), []upnext.EventID{"bob-1", "ann-0"})
	held, err = s.Events.Since(ctx, b, 0, 10)
	ok(t, "since", err)
	want(t, "the other tenant's", eventIDs(held), []upnext.EventID{"ann-1"})
}

// eventTogether appends from 16 goroutines at once, with duplicates between
// them and one caller whose events are bad: each gets the outcome of its own.
func eventTogether(t *testing.T, s Stores) {
	ctx := t.Context()
	const writers, rounds = 16, 20
	var mu sync.Mutex
	accepted, duplicates, seqs := map[upnext.EventID]int{}, 0, map[int64]upnext.EventID{}
	var wg sync.WaitGroup
	for w := range writers {
		tenant := []upnext.Tenant{a, b}[w/8]
		wg.Go(func() {
			for r := range rounds {
				own, shared := event(fmt.Sprint("w", w), r), event(fmt.Sprint("shared ", tenant), r)
				got, err := s.Events.Append(ctx, tenant, own, shared)
				if err != nil || len(got) != 2 || got[0].Duplicate {
					t.Errorf("writer %d round %d: %+v, %v", w, r, got, err)
					return
				}
				bad := own
				bad.ID, bad.Amount = "bad", math.Inf(1)
				if _, err := s.Events.Append(ctx, tenant, bad); !errors.Is(err, upnext.ErrInvalid) {
					t.Errorf("a bad event: %v, want invalid", err)
				}
				mu.Lock()
				for i, e := range []upnext.Event{own, shared} {
					if got[i].Duplicate {
						duplicates++
						continue
					}
					accepted[e.ID]++
					if tenant == a {
						seqs[got[i].Seq] = e.ID
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	want(t, "events accepted", len(accepted), writers*rounds+2*rounds)
	for id, n := range accepted {
		if n != 1 {
			t.Errorf("event %s was accepted %d times", id, n)
		}
	}
	want(t, "duplicates", duplicates, writers*rounds-2*rounds)
	held, err := s.Events.Since(ctx, a, 0, math.MaxInt32)
	ok(t, "since", err)
	want(t, "events held", len(held), 8*rounds+rounds)
	for _, e := range held {
		if seqs[e.Seq] != e.ID {
			t.Errorf("seq %d is %s, want %s as its appender was told", e.Seq, e.ID, seqs[e.Seq])
		}
	}
}

// eventSince follows the stream while others append to it: nothing is missed,
// and nothing comes out of order.
func eventSince(t *testing.T, s Stores) {
	ctx := t.Context()
	const writers, each = 8, 60
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := s.Events.Append(ctx, a, event(fmt.Sprint("w", w), n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	next := map[upnext.ViewerID]int{} // each writer's events come in its own order
	for after, total, last := int64(0), 0, false; ; {
		page, err := s.Events.Since(ctx, a, after, 13)
		ok(t, "since", err)
		for _, e := range page {
			if e.Seq <= after {
				t.Fatalf("seq %d after %d", e.Seq, after)
			}
			after = e.Seq
			if want := event(e.Viewer.ID, next[e.Viewer]).ID; e.ID != want {
				t.Fatalf("got %s, want %s", e.ID, want)
			}
			next[e.Viewer]++
		}
		total += len(page)
		if len(page) == 0 && last {
			want(t, "events seen", total, writers*each)
			return
		}
		select {
		case <-ended:
			last = true
		default:
		}
	}
}

func eventCancelled(t *testing.T, s Stores) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Events.Append(ctx, a, event("ann", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("append with a cancelled context: %v", err)
	}
	// Whether or not it was kept, sending it again counts once.
	_, err := s.Events.Append(t.Context(), a, event("ann", 1))
	ok(t, "append", err)
	held, err := s.Events.Since(t.Context(), a, 0, 10)
	ok(t, "since", err)
	want(t, "held", eventIDs(held), []upnext.EventID{"ann-1"})
}

// eventClosed closes the database under concurrent appends: each either
// counts, and is there afterwards, or fails as unavailable.
func eventClosed(t *testing.T, open Open) {
	s := open(t, "closing")
	var mu sync.Mutex
	acknowledged := map[upnext.EventID]bool{}
	var wg sync.WaitGroup
	started := make(chan struct{}, 64)
	for w := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				e := event(fmt.Sprint("w", w), n)
				if _, err := s.Events.Append(context.Background(), a, e); err != nil {
					is(t, "append while closing", err, upnext.ErrUnavailable)
					return
				}
				mu.Lock()
				acknowledged[e.ID] = true
				mu.Unlock()
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 32 {
		<-started
	}
	ok(t, "close", s.Close())
	wg.Wait()
	held, err := open(t, "closing").Events.Since(t.Context(), a, 0, math.MaxInt32)
	ok(t, "since", err)
	have := map[upnext.EventID]bool{}
	for _, e := range held {
		have[e.ID] = true
	}
	for id := range acknowledged {
		if !have[id] {
			t.Errorf("event %s was acknowledged and is gone", id)
		}
	}
}
