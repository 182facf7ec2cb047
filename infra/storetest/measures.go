package storetest

import (
	"fmt"
	stdmaps "maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	"upnext"
)

func testMeasures(t *testing.T, open Open) {
	t.Run("any history", func(t *testing.T) { measureHistory(t, open(t, "measures")) })
	t.Run("once", func(t *testing.T) { measureOnce(t, open(t, "measures")) })
	t.Run("gone meanwhile", func(t *testing.T) { measureGone(t, open(t, "measures")) })
	t.Run("retracted at once", func(t *testing.T) { measureTogether(t, open(t, "measures")) })
	t.Run("merged", func(t *testing.T) { measureMerged(t, open(t, "measures")) })
	t.Run("queries", func(t *testing.T) { measureQueries(t, open(t, "measures")) })
	t.Run("prune", func(t *testing.T) { measurePrune(t, open(t, "measures")) })
	t.Run("showings", func(t *testing.T) { showings(t, open(t, "measures")) })
}

// slateAt names a slate of that time.
func slateAt(at time.Time, n int) upnext.SlateID {
	var id ulid.ULID
	_ = id.SetTime(uint64(at.UnixMilli()))
	id[15] = byte(n)
	return upnext.SlateID("rec_" + id.String())
}

// attributed is an event's attribution to one of six shown items.
func attributed(e upnext.Event, n int) upnext.Attribution {
	at := noon.Add(time.Duration(n%2) * time.Hour)
	a := upnext.Attribution{
		Seq: e.Seq, Viewer: e.Viewer, By: upnext.ByToken, Slate: slateAt(at, n%2), Item: upnext.ItemID(fmt.Sprint("i", n%3)), ShownAt: at,
		Rank: 1 + n%3, Scenario: []string{"home", ""}[n%2], Sources: [][]string{{"taste", "fresh"}, {"popular"}, nil}[n%3], Kind: "video",
		Act: e.Kind, Length: time.Minute,
	}
	if e.Watch != nil {
		a.Reported, a.Watched = true, e.Watch.Watched
	}
	return a
}

// queryAll asks for everything by one part, an hour a row.
func queryAll(by upnext.Part) upnext.MeasureQuery {
	return upnext.MeasureQuery{From: noon.Add(-24 * time.Hour), To: noon.Add(48 * time.Hour), By: by, Bucket: time.Hour, Limit: 1000}
}

// counted reads all counts; those of several scenarios are together.
func counted(t failer, s Stores) map[upnext.Cell]upnext.Counts {
	t.Helper()
	cells := map[upnext.Cell]upnext.Counts{}
	for _, part := range upnext.Parts {
		rows, err := s.Measures.Measured(t.Context(), a, queryAll(part))
		ok(t, "measured", err)
		for _, r := range rows {
			if r.Counts != (upnext.Counts{}) {
				cells[upnext.Cell{Hour: r.At.Unix() / 3600, Part: part, Value: r.Value}] = r.Counts
			}
		}
	}
	return cells
}

// recounted counts attributions anew, as counted reads them.
func recounted(all []upnext.Attribution) map[upnext.Cell]upnext.Counts {
	shown, raw, cells := map[string][]upnext.Attribution{}, map[upnext.Cell]upnext.Counts{}, map[upnext.Cell]upnext.Counts{}
	for _, x := range all {
		shown[string(x.Slate)+string(x.Item)] = append(shown[string(x.Slate)+string(x.Item)], x)
	}
	for _, acts := range shown {
		upnext.Measure(raw, acts, 1)
	}
	for c, n := range raw {
		if c.Part == upnext.PartScenario {
			c.Value = c.Scenario
		}
		c.Scenario = ""
		cells[c] = cells[c].Add(n, 1)
	}
	return cells
}

// measureHistory: whatever was sent, attributed, taken back and erased, in
// whatever order, the counts are those of what is left.
func measureHistory(t *testing.T, s Stores) {
	ctx := t.Context()
	ran := 0
	rapid.Check(t, func(rt *rapid.T) {
		ran++
		left := map[int64]upnext.Attribution{}
		named := map[int64]upnext.Event{}
		viewers := []upnext.ViewerID{{ID: "ann"}, {ID: "bob"}, {ID: "ann", Anonymous: true}}
		for _, v := range viewers { // what the run before has left
			_, err := s.Events.Erase(ctx, a, v)
			ok(rt, "erase", err)
		}
		want(rt, "counts of nothing", counted(rt, s), map[upnext.Cell]upnext.Counts{})
		for step := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				v := rapid.SampledFrom(viewers).Draw(rt, "erased")
				_, err := s.Events.Erase(ctx, a, v)
				ok(rt, "erase", err)
				stdmaps.DeleteFunc(left, func(_ int64, x upnext.Attribution) bool { return x.Viewer == v })
				stdmaps.DeleteFunc(named, func(_ int64, e upnext.Event) bool { return e.Viewer == v })
			case 1:
				if len(named) == 0 {
					continue
				}
				seq := rapid.SampledFrom(slices.Sorted(stdmaps.Keys(named))).Draw(rt, "retracted")
				_, err := s.Events.Retract(ctx, a, named[seq].Viewer, named[seq].ID)
				ok(rt, "retract", err)
				delete(left, seq)
				delete(named, seq)
			default:
				n := rapid.IntRange(1, 6).Draw(rt, "events")
				events, places := make([]upnext.Event, n), make([]int, n)
				for i := range events {
					e := event("", i)
					e.ID, e.Viewer = upnext.EventID(fmt.Sprintf("%d-%d-%d", ran, step, i)), rapid.SampledFrom(viewers).Draw(rt, "viewer")
					e.Kind = rapid.SampledFrom(upnext.EventKinds).Draw(rt, "kind")
					if rapid.Bool().Draw(rt, "watched") {
						e.Watch = &upnext.Watch{Watched: time.Duration(rapid.IntRange(0, 70_000).Draw(rt, "ms")) * time.Millisecond}
					}
					events[i], places[i] = e, rapid.IntRange(0, 5).Draw(rt, "place")
				}
				appended, err := s.Events.Append(ctx, a, events...)
				ok(rt, "append", err)
				var page []upnext.Attribution
				for i := range events {
					events[i].Seq = appended[i].Seq
					named[appended[i].Seq] = events[i]
					page = append(page, attributed(events[i], places[i]))
					left[appended[i].Seq] = page[i]
				}
				after, err := s.Measures.Followed(ctx, a)
				ok(rt, "followed", err)
				ok(rt, "attribute", s.Measures.Attribute(ctx, a, after, appended[n-1].Seq, page...))
			}
			want(rt, "counts", counted(rt, s), recounted(slices.Collect(stdmaps.Values(left))))
		}
	})
}

// sent appends events of a viewer and attributes them to shown items in turn.
func sent(t *testing.T, s Stores, viewer string, n int) (int64, []upnext.Attribution) {
	t.Helper()
	events := stream(viewer, n)
	appended, err := s.Events.Append(t.Context(), a, events...)
	ok(t, "append", err)
	page := make([]upnext.Attribution, n)
	for i := range events {
		events[i].Seq = appended[i].Seq
		page[i] = attributed(events[i], i)
	}
	return appended[n-1].Seq, page
}

// measureOnce: of several who attribute the same events one is heard.
func measureOnce(t *testing.T, s Stores) {
	ctx := t.Context()
	last, page := sent(t, s, "ann", 30)
	var group sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		group.Go(func() { errs[i] = s.Measures.Attribute(ctx, a, 0, last, page...) })
	}
	group.Wait()
	kept := 0
	for _, err := range errs {
		if err == nil {
			kept++
			continue
		}
		is(t, "attributed by others", err, upnext.ErrConflict)
	}
	want(t, "times attributed", kept, 1)
	want(t, "counts", counted(t, s), recounted(page))
	followed, err := s.Measures.Followed(ctx, a)
	ok(t, "followed", err)
	want(t, "followed", followed, last)
	followed, err = s.Measures.Followed(ctx, b)
	ok(t, "followed", err)
	want(t, "another tenant is followed to", followed, int64(0))
	got, err := s.Measures.Attributions(ctx, a, page[0].Slate)
	ok(t, "attributions", err)
	want(t, "of a slate", len(got), 15)
	want(t, "the first", got[0], page[0])
	got, err = s.Measures.Attributions(ctx, b, page[0].Slate)
	ok(t, "attributions", err)
	want(t, "of another tenant", len(got), 0)
}

// measureGone: an event that was taken back between the look at it and its
// attribution is not counted.
func measureGone(t *testing.T, s Stores) {
	ctx := t.Context()
	last, page := sent(t, s, "ann", 6)
	_, err := s.Events.Retract(ctx, a, upnext.ViewerID{ID: "ann"}, "ann-2")
	ok(t, "retract", err)
	ok(t, "attribute", s.Measures.Attribute(ctx, a, 0, last, page...))
	want(t, "counts", counted(t, s), recounted(append(page[:2:2], page[3:]...)))
}

// measureMerged: what was attributed to a guest goes over to whom they are merged
// into, what both sent is counted once, and what is attributed late is whose it is.
func measureMerged(t *testing.T, s Stores) {
	ctx := t.Context()
	var events []upnext.Event
	for i := range 6 {
		events = append(events, of(guest, upnext.EventID(fmt.Sprint("x", i)), i))
	}
	events = append(events, of(ann, "x0", 0))
	appended, err := s.Events.Append(ctx, a, events...)
	ok(t, "append", err)
	var page []upnext.Attribution
	for i := range events {
		events[i].Seq = appended[i].Seq
		page = append(page, attributed(events[i], i))
	}
	ok(t, "attribute the first", s.Measures.Attribute(ctx, a, 0, page[2].Seq, page[:3]...))
	late := page[3:]
	_, err = s.Merges.Merge(ctx, a, guest, ann, noon)
	ok(t, "merge", err)
	ok(t, "attribute what was looked at before", s.Measures.Attribute(ctx, a, page[2].Seq, page[6].Seq, late...))
	want(t, "counts", counted(t, s), recounted(page[1:]))
	_, err = s.Events.Retract(ctx, a, ann, "x1") // attributed before the merge
	ok(t, "retract", err)
	_, err = s.Events.Retract(ctx, a, ann, "x4") // and after
	ok(t, "retract", err)
	want(t, "counts after retractions", counted(t, s), recounted([]upnext.Attribution{page[2], page[3], page[5], page[6]}))
	for _, slate := range []upnext.SlateID{page[0].Slate, page[1].Slate} {
		got, err := s.Measures.Attributions(ctx, a, slate)
		ok(t, "attributions", err)
		for _, x := range got {
			want(t, "whose", x.Viewer, ann)
		}
	}
}

// measureTogether takes back events while they are attributed.
func measureTogether(t *testing.T, s Stores) {
	ctx := t.Context()
	for round := range 10 {
		viewer := fmt.Sprint("v", round)
		after, err := s.Measures.Followed(ctx, a)
		ok(t, "followed", err)
		last, page := sent(t, s, viewer, 20)
		var group sync.WaitGroup
		group.Go(func() {
			if err := s.Measures.Attribute(ctx, a, after, last, page...); err != nil {
				t.Error(err)
			}
		})
		for i := range 20 {
			group.Go(func() {
				if _, err := s.Events.Retract(ctx, a, upnext.ViewerID{ID: viewer}, upnext.EventID(fmt.Sprintf("%s-%d", viewer, i))); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	want(t, "counts", counted(t, s), map[upnext.Cell]upnext.Counts{})
}

func measureQueries(t *testing.T, s Stores) {
	ctx := t.Context()
	last, page := sent(t, s, "ann", 12) // views of six shown items, three an hour
	ok(t, "attribute", s.Measures.Attribute(ctx, a, 0, last, page...))
	three, six := upnext.Counts{Impressions: 3, Clicks: 3}, upnext.Counts{Impressions: 6, Clicks: 6}
	ask := func(what string, q upnext.MeasureQuery, rows ...upnext.Measured) {
		t.Helper()
		got, err := s.Measures.Measured(ctx, a, q)
		ok(t, what, err)
		want(t, what, got, rows)
	}
	q := queryAll(upnext.PartScenario)
	ask("by scenario and hour", q, upnext.Measured{Value: "home", At: noon, Counts: three},
		upnext.Measured{Value: upnext.Unknown, At: noon.Add(time.Hour), Counts: three})
	q.From, q.To = noon, noon.Add(time.Hour)
	ask("the first hour", q, upnext.Measured{Value: "home", At: noon, Counts: three})
	q = queryAll(upnext.PartKind)
	q.Bucket = 0
	ask("all at once", q, upnext.Measured{Value: "video", At: q.From, Counts: six})
	q.Scenario = "home"
	ask("of one scenario", q, upnext.Measured{Value: "video", At: q.From, Counts: three})
	q = queryAll(upnext.PartKind)
	q.Bucket = 24 * time.Hour
	ask("by day", q, upnext.Measured{Value: "video", At: noon.Truncate(24 * time.Hour), Counts: six})
	q = queryAll(upnext.PartPosition)
	q.Limit = 2
	got, err := s.Measures.Measured(ctx, a, q)
	ok(t, "limited", err)
	want(t, "rows of two", len(got), 2)
}

func measurePrune(t *testing.T, s Stores) {
	ctx := t.Context()
	last, page := sent(t, s, "ann", 12)
	ok(t, "attribute", s.Measures.Attribute(ctx, a, 0, last, page...))
	n, err := s.Measures.PruneMeasures(ctx, a, noon.Add(time.Hour), noon)
	ok(t, "prune", err)
	want(t, "attributions to the first slate are gone", n, 6)
	_, err = s.Events.Erase(ctx, a, upnext.ViewerID{ID: "ann"})
	ok(t, "erase", err)
	got, err := s.Measures.Measured(ctx, a, queryAll(upnext.PartKind))
	ok(t, "measured", err)
	want(t, "its counts stay, the other's went", got, []upnext.Measured{{Value: "video", At: noon, Counts: upnext.Counts{Impressions: 3, Clicks: 3}}})
	_, err = s.Measures.PruneMeasures(ctx, a, noon, noon.Add(time.Hour))
	ok(t, "prune", err)
	got, err = s.Measures.Measured(ctx, a, queryAll(upnext.PartKind))
	ok(t, "measured", err)
	want(t, "of old hours nothing is left", len(got), 0)
}

func showings(t *testing.T, s Stores) {
	ctx := t.Context()
	ann, bob := upnext.ViewerID{ID: "ann"}, upnext.ViewerID{ID: "bob", Anonymous: true}
	slate := func(n int, v upnext.ViewerID) upnext.Slate {
		at := noon.Add(time.Duration(n) * time.Minute)
		return upnext.Slate{ID: slateAt(at, n), Viewer: v, At: at, Scenario: "home", Variant: "b",
			Items: []upnext.Placed{{Item: "x", Rank: 1, Propensity: .5, Sources: []string{"taste"}}, {Item: "y", Rank: 2, Propensity: 1}}}
	}
	all := []upnext.Slate{slate(0, ann), slate(1, bob), slate(2, ann), slate(3, ann), slate(4, ann)}
	ok(t, "record", s.Slates.Record(ctx, a, all...))
	got, err := s.Showings.ShowingsOf(ctx, a, all[1].ID, "none")
	ok(t, "showings", err)
	want(t, "showings", got, []upnext.Showing{upnext.ShowingOf(all[1])})
	got, err = s.Showings.ShowingsOf(ctx, b, all[1].ID)
	ok(t, "showings", err)
	want(t, "another tenant's", len(got), 0)

	heads, err := s.Showings.LatestSlates(ctx, a, all[1].At, 2, ann, bob, upnext.ViewerID{ID: "none"})
	ok(t, "latest slates", err)
	head := func(s upnext.Slate) upnext.SlateHead { return upnext.SlateHead{ID: s.ID, Viewer: s.Viewer, At: s.At} }
	want(t, "latest slates", heads, []upnext.SlateHead{head(all[1]), head(all[4]), head(all[3])})
	heads, err = s.Showings.LatestSlates(ctx, a, all[2].At, 10, ann, bob)
	ok(t, "latest slates", err)
	want(t, "latest slates since", heads, []upnext.SlateHead{head(all[4]), head(all[3]), head(all[2])})
}
