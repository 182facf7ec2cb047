package storetest

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"upnext"
)

// collect reads a sequence to its end.
func collect[T any](t failer, what string, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		ok(t, what, err)
		all = append(all, v)
	}
	return all
}

// testHoldings fills the stores of several viewers, more than a page each, and
// reads those of one.
func testHoldings(t *testing.T, open Open) {
	s, ctx := open(t, "holdings"), t.Context()
	const many = 450
	bob := upnext.ViewerID{ID: "bob"}
	var events []upnext.Event
	for n := range many {
		events = append(events, of(ann, upnext.EventID(fmt.Sprint("e", n)), n/7)) // several at one time
		if n%3 == 0 {
			events = append(events, of(bob, upnext.EventID(fmt.Sprint("b", n)), n))
		}
		slate := upnext.Slate{ID: upnext.SlateID(fmt.Sprintf("rec_%04d", n)), Viewer: ann, At: noon.Add(time.Duration(n) * time.Second)}
		other := upnext.Slate{ID: upnext.SlateID(fmt.Sprintf("rec_%04d_b", n)), Viewer: bob, At: noon}
		ok(t, "record", s.Slates.Record(ctx, a, slate, other))
	}
	_, err := s.Events.Append(ctx, a, events...)
	ok(t, "append", err)
	_, err = s.Events.Append(ctx, b, of(ann, "elsewhere", 1))
	ok(t, "append to another tenant", err)
	early := of(ann, "before 1970", 0)
	early.At = time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = s.Events.Append(ctx, a, early)
	ok(t, "append", err)
	cursor := upnext.Cursor{ID: "rec_0001", Viewer: ann, Version: 1, Until: noon, Requests: map[string][]byte{"": []byte(`{"query":"q"}`)}}
	ok(t, "advance", s.Cursors.Advance(ctx, a, cursor))
	ok(t, "advance", s.Cursors.Advance(ctx, a, upnext.Cursor{ID: "rec_0002", Viewer: bob, Version: 1, Until: noon}))
	reply := upnext.Reply{Status: 200, Type: "application/json", Body: []byte("{}"), Viewer: ann}
	takes(t, s, a, "claim", claimed("k", noon), upnext.Reply{}, true, nil)
	ok(t, "keep", s.Replies.Keep(ctx, a, claimed("k", noon), reply))

	got := collect(t, "events", s.Holdings.HeldEvents(ctx, a, ann))
	want(t, "events", len(got), many+1)
	want(t, "the oldest", got[0].ID, "before 1970")
	for i := 1; i < len(got); i++ {
		if before, e := got[i-1], got[i]; e.Viewer != ann || e.At.Before(before.At) || e.At.Equal(before.At) && e.Seq <= before.Seq {
			t.Fatalf("event %d: %v after %v, want one viewer's, by time and order of acceptance", i, e, before)
		}
	}
	slates := collect(t, "slates", s.Holdings.HeldSlates(ctx, a, ann))
	want(t, "slates", len(slates), many)
	want(t, "the last", slates[many-1].ID, upnext.SlateID(fmt.Sprintf("rec_%04d", many-1)))
	want(t, "cursors", collect(t, "cursors", s.Holdings.HeldCursors(ctx, a, ann)), []upnext.Cursor{cursor})
	want(t, "replies", collect(t, "replies", s.Holdings.HeldReplies(ctx, a, ann)), []upnext.HeldReply{{Reply: reply, At: noon}})
	want(t, "nobody's replies", collect(t, "replies", s.Holdings.HeldReplies(ctx, a, bob)), nil)
	for _, err := range s.Holdings.HeldEvents(ctx, a, ann) {
		ok(t, "the first alone", err)
		break // who has enough stops
	}
	ok(t, "close", s.Close())
	for _, err := range s.Holdings.HeldEvents(ctx, a, ann) {
		is(t, "after close", err, upnext.ErrUnavailable)
	}
}
