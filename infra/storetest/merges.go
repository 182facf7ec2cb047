package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"upnext"
)

func testMerges(t *testing.T, open Open) {
	t.Run("events", func(t *testing.T) { mergeEvents(t, open(t, "merges")) })
	t.Run("refusals", func(t *testing.T) { mergeRefusals(t, open(t, "merges")) })
	t.Run("properties", func(t *testing.T) { mergeProperties(t, open(t, "merges")) })
	t.Run("while events come", func(t *testing.T) { mergeAtOnce(t, open(t, "merges")) })
	t.Run("parted", func(t *testing.T) { mergeParted(t, open) })
}

var (
	guest = upnext.ViewerID{ID: "guest", Anonymous: true}
	ann   = upnext.ViewerID{ID: "ann"}
)

// of returns an event of a viewer under a name.
func of(v upnext.ViewerID, id upnext.EventID, n int) upnext.Event {
	e := event("x", n)
	e.Viewer, e.ID = v, id
	return e
}

func (s Stores) has(t failer, tenant upnext.Tenant, v upnext.ViewerID) []upnext.EventID {
	t.Helper()
	events, err := s.Events.ByViewer(t.Context(), tenant, v, 10_000)
	ok(t, "by viewer", err)
	return eventIDs(events)
}

// mergeEvents: the events go over, each once and at its place in the order of
// acceptance; what comes later goes to the known viewer.
func mergeEvents(t *testing.T, s Stores) {
	ctx := t.Context()
	appended, err := s.Events.Append(ctx, a, of(guest, "g1", 1), of(ann, "a2", 2), of(guest, "g3", 3), of(guest, "both", 4), of(ann, "both", 5))
	ok(t, "append", err)
	_, err = s.Events.Append(ctx, b, of(guest, "g1", 1))
	ok(t, "append to another tenant", err)

	merged, err := s.Merges.Merge(ctx, a, guest, ann, noon)
	ok(t, "merge", err)
	want(t, "merged", merged, upnext.Merged{Events: 2, Duplicates: 1, At: noon})
	want(t, "what the known viewer has", s.has(t, a, ann), []upnext.EventID{"both", "g3", "a2", "g1"})
	want(t, "what the anonymous one has", s.has(t, a, guest), nil)
	want(t, "another tenant's", s.has(t, b, guest), []upnext.EventID{"g1"})
	all, err := s.Events.Since(ctx, a, 0, 10)
	ok(t, "since", err)
	want(t, "the first keeps its place", all[0].Seq, appended[0].Seq)
	want(t, "the first is theirs", all[0].Viewer, ann)

	later, err := s.Events.Append(ctx, a, of(guest, "g6", 6), of(guest, "g1", 1), of(upnext.ViewerID{ID: "guest"}, "u", 1))
	ok(t, "append later", err)
	want(t, "whose it is", later[0].Into, ann)
	want(t, "sent again", later[1], upnext.Appended{Duplicate: true})
	want(t, "a known viewer of the same name", later[2].Into, upnext.ViewerID{})
	want(t, "what the known viewer has then", s.has(t, a, ann), []upnext.EventID{"g6", "both", "g3", "a2", "g1"})
	_, err = s.Events.Retract(ctx, a, ann, "g1")
	ok(t, "retract what was the guest's", err)

	merged, err = s.Merges.Merge(ctx, a, guest, ann, noon.Add(time.Hour))
	ok(t, "merge again", err)
	want(t, "merged again", merged, upnext.Merged{At: noon})
}

// mergeRefusals: who was merged stays merged, and the kinds must be right.
func mergeRefusals(t *testing.T, s Stores) {
	ctx, bob := t.Context(), upnext.ViewerID{ID: "bob"}
	_, err := s.Events.Append(ctx, a, of(guest, "g1", 1))
	ok(t, "append", err)
	for _, pair := range [][2]upnext.ViewerID{{ann, bob}, {guest, {ID: "other", Anonymous: true}}, {ann, guest}} {
		_, err := s.Merges.Merge(ctx, a, pair[0], pair[1], noon)
		is(t, fmt.Sprint(pair), err, upnext.ErrInvalid)
	}
	_, err = s.Merges.Merge(ctx, a, upnext.ViewerID{ID: "\x00", Anonymous: true}, ann, noon)
	is(t, "NUL", err, upnext.ErrInvalid)
	_, err = s.Merges.Into(ctx, a, guest)
	is(t, "before", err, upnext.ErrNotFound)
	want(t, "a refusal moves nothing", s.has(t, a, guest), []upnext.EventID{"g1"})

	_, err = s.Merges.Merge(ctx, a, guest, ann, noon)
	ok(t, "merge", err)
	_, err = s.Merges.Merge(ctx, a, guest, bob, noon)
	is(t, "into another", err, upnext.ErrConflict)
	into, err := s.Merges.Into(ctx, a, guest)
	ok(t, "into", err)
	want(t, "into", into, ann)
	_, err = s.Merges.Into(ctx, b, guest)
	is(t, "at another tenant", err, upnext.ErrNotFound)
}

// mergeProperties: what the known viewer says stays, what they lack is given.
func mergeProperties(t *testing.T, s Stores) {
	ctx := t.Context()
	put := func(v upnext.Viewer) {
		_, err := s.Viewers.PutViewer(ctx, a, v)
		ok(t, "put viewer", err)
	}
	put(upnext.Viewer{ID: guest, Locale: "de", Region: "DE", Attributes: map[string]any{"plan": "free", "since": 3.0}, UpdatedAt: noon.Add(time.Hour)})
	put(upnext.Viewer{ID: ann, Locale: "en", BirthYear: 1990, Attributes: map[string]any{"plan": "paid"}, UpdatedAt: noon})
	merged, err := s.Merges.Merge(ctx, a, guest, ann, noon)
	ok(t, "merge", err)
	want(t, "given", merged.Properties, true)
	got, err := s.Viewers.Viewer(ctx, a, ann)
	ok(t, "viewer", err)
	want(t, "properties", got, upnext.Viewer{
		ID: ann, Locale: "en", Region: "DE", BirthYear: 1990, Attributes: map[string]any{"plan": "paid", "since": 3.0}, UpdatedAt: noon.Add(time.Hour),
	})
	_, err = s.Viewers.Viewer(ctx, a, guest)
	is(t, "the anonymous one's", err, upnext.ErrNotFound)

	put(upnext.Viewer{ID: guest, Locale: "fr"})
	merged, err = s.Merges.Merge(ctx, a, guest, ann, noon)
	ok(t, "merge again", err)
	want(t, "given again", merged.Properties, false)
	other := upnext.ViewerID{ID: "other", Anonymous: true}
	put(upnext.Viewer{ID: other, Region: "FR", UpdatedAt: noon})
	_, err = s.Merges.Merge(ctx, a, other, upnext.ViewerID{ID: "new"}, noon)
	ok(t, "merge into one without properties", err)
	got, err = s.Viewers.Viewer(ctx, a, upnext.ViewerID{ID: "new"})
	ok(t, "viewer", err)
	want(t, "all of them", got, upnext.Viewer{ID: upnext.ViewerID{ID: "new"}, Region: "FR", UpdatedAt: noon})
}

// mergeAtOnce merges while events come: none is lost, none is left behind.
func mergeAtOnce(t *testing.T, s Stores) {
	ctx := t.Context()
	const senders, each = 4, 25
	var wg sync.WaitGroup
	for n := range senders {
		wg.Go(func() {
			for i := range each {
				_, err := s.Events.Append(ctx, a, of(guest, upnext.EventID(fmt.Sprint(n, "-", i)), i))
				ok(t, "append", err)
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			time.Sleep(5 * time.Millisecond) // somewhere among them
			_, err := s.Merges.Merge(ctx, a, guest, ann, noon)
			ok(t, "merge", err)
		})
	}
	wg.Wait()
	want(t, "left behind", s.has(t, a, guest), nil)
	want(t, "events", len(s.has(t, a, ann)), senders*each)
}

// mergeParted: links last over a restart, and end with Part.
func mergeParted(t *testing.T, open Open) {
	ctx, s := t.Context(), open(t, "merges")
	other := upnext.ViewerID{ID: "a guest", Anonymous: true}
	for _, v := range []upnext.ViewerID{guest, other} {
		_, err := s.Merges.Merge(ctx, a, v, ann, noon)
		ok(t, "merge", err)
	}
	ok(t, "close", s.Close())
	s = open(t, "merges")
	absorbed, err := s.Merges.Absorbed(ctx, a, ann)
	ok(t, "absorbed", err)
	want(t, "absorbed", absorbed, []upnext.ViewerID{other, guest})
	ok(t, "part another tenant's", s.Merges.Part(ctx, b, ann))
	ok(t, "part", s.Merges.Part(ctx, a, ann))
	ok(t, "part again", s.Merges.Part(ctx, a, ann))
	absorbed, err = s.Merges.Absorbed(ctx, a, ann)
	ok(t, "absorbed", err)
	want(t, "absorbed after it", absorbed, nil)
	_, err = s.Events.Append(ctx, a, of(guest, "g1", 1))
	ok(t, "append", err)
	want(t, "what the guest does is their own", s.has(t, a, guest), []upnext.EventID{"g1"})
}
