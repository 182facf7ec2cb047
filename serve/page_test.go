package serve

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
)

// rows returns a viewer's page.
func (w *world) rows(req upnext.PageRequest) upnext.Page {
	w.t.Helper()
	p, err := w.rec.Page(w.t.Context(), tenantT, req)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func names(p upnext.Page) (list []string) {
	for _, row := range p.Rows {
		list = append(list, row.Name)
	}
	return list
}

// onlyOnce fails where two slates share an item, or an item and its copy.
func onlyOnce(t *testing.T, slates ...upnext.Slate) (met map[upnext.ItemID]bool) {
	t.Helper()
	met = map[upnext.ItemID]bool{}
	for _, s := range slates {
		for _, p := range s.Items {
			if met[p.Item] {
				t.Errorf("%s is there twice", p.Item)
			}
			met[p.Item] = true
		}
	}
	return met
}

// TestPageSuits: who names no rows gets those that suit them, of which the ones that
// are about what they like come before what they do not care for, in their language.
func TestPageSuits(t *testing.T) {
	w := newWorld(t, 60, nil)
	for i := range 5 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", i).ID})
	}
	for _, who := range []string{"bob", "cid", "dan"} { // others watch chess
		for i := range 8 {
			w.does(who, upnext.Event{Kind: upnext.Like, Item: itemOf("chess", i).ID})
		}
	}
	w.does("ann", upnext.Event{Kind: upnext.Progress, Item: itemOf("space", 9).ID, Watch: &upnext.Watch{Watched: time.Minute, Position: time.Minute, Duration: 5 * time.Minute}})
	w.does("ann", upnext.Event{Kind: upnext.Follow, Creator: "c-music-1"})
	w.refresh()
	p := w.rows(upnext.PageRequest{Request: upnext.Request{Viewer: user("ann"), Count: 6}})
	got := names(p)
	for _, want := range []string{"continue", "for_you", "because_1", "topic_1", "followed", "trending", "fresh"} {
		if !slices.Contains(got, want) {
			t.Errorf("no row %s among %v; left out %v", want, got, p.LeftOut)
		}
	}
	var slates []upnext.Slate
	for i, row := range p.Rows {
		slates = append(slates, row.Slate)
		if i > 0 && row.Worth > p.Rows[i-1].Worth {
			t.Errorf("%s is worth %.3f and stands behind %s with %.3f", row.Name, row.Worth, p.Rows[i-1].Name, p.Rows[i-1].Worth)
		}
		if len(row.Slate.Items) > 6 || row.Slate.Items[0].Token == "" || row.Title == "" {
			t.Errorf("%s %q: %v", row.Name, row.Title, ids(row.Slate))
		}
	}
	onlyOnce(t, slates...)
	if at := func(name string) int { return slices.Index(got, name) }; at("for_you") > at("trending") || at("topic_1") > at("trending") {
		t.Errorf("%v: what others watch comes before what she likes", got)
	}
	for _, row := range p.Rows {
		if row.Name == "topic_1" && (about(row.Slate, "space") != 6 || row.Title != "More of space") {
			t.Errorf("%s: %v", row.Title, ids(row.Slate))
		}
		if row.Name == "continue" && row.Slate.Items[0].Item != itemOf("space", 9).ID {
			t.Errorf("continue %v", ids(row.Slate))
		}
	}
	again := w.rows(upnext.PageRequest{Request: upnext.Request{Viewer: user("ann"), Count: 6, Locale: "zh-CN"}})
	for _, row := range again.Rows {
		if row.Name == "for_you" && row.Title != "为你推荐" {
			t.Errorf("a Chinese viewer reads %q", row.Title)
		}
	}
	for _, count := range []int{2, upnext.MaxCount} {
		p := w.rows(upnext.PageRequest{Request: upnext.Request{Viewer: user("ann"), Count: count}})
		total := 0
		for _, row := range p.Rows {
			total += len(row.Slate.Items)
		}
		if len(p.Rows) < 5 && count == 2 || total > upnext.MaxPageItems || len(p.Rows[1].Slate.Items) > count {
			t.Errorf("%d a row: rows %v with %d items in all", count, names(p), total)
		}
	}
	stranger := names(w.rows(upnext.PageRequest{}))
	if len(stranger) < 3 || slices.Contains(stranger, "continue") || slices.Contains(stranger, "because_1") {
		t.Errorf("a stranger's rows: %v", stranger)
	}
}

// TestPageRows: rows as they are named: filters of page and row both hold, what is
// fixed stays, what comes out short is left out and said, and acts turn the order.
func TestPageRows(t *testing.T) {
	w := newWorld(t, 30, nil)
	twin := itemOf("music", 0)
	twin.ID = "twin"
	w.put(twin) // the same under another id
	for i := range 4 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("music", 20+i).ID})
	}
	topic := func(name string) upnext.Row {
		return upnext.Row{Name: name, Title: strings.ToUpper(name), Filter: "'" + name + "' in tags"}
	}
	news := topic("chess")
	news.Fixed = true
	req := upnext.PageRequest{
		Request: upnext.Request{Viewer: user("ann"), Filter: "language == 'en'", Count: 5},
		Rows: []upnext.Row{
			news, topic("space"), topic("music"), {Name: "all", Count: 12}, {Name: "like", Like: []upnext.ItemID{"music-002"}, Count: 4},
			{Name: "found", Query: "gardening", Count: 3}, {Name: "gone", Like: []upnext.ItemID{"nobody's"}}, topic("nothing"),
			{Name: "many", Filter: "'travel' in tags", Count: 20, Least: 20},
		},
	}
	p := w.rows(req)
	got := names(p)
	if len(got) != 6 || got[0] != "chess" || slices.Index(got, "music") > slices.Index(got, "space") {
		t.Errorf("rows %v, want chess where it was named, music before space", got)
	}
	left := map[string]string{}
	for _, l := range p.LeftOut {
		left[l.Row] = l.Reason
	}
	if len(left) != 3 || !strings.Contains(left["gone"], "not found") || !strings.Contains(left["many"], "20 wanted at least") || left["nothing"] == "" {
		t.Errorf("left out %v", left)
	}
	var slates []upnext.Slate
	cursors := map[string]string{}
	for _, row := range p.Rows {
		slates = append(slates, row.Slate)
		cursors[row.Name] = row.Slate.Next
		for _, placed := range row.Slate.Items {
			if it := w.rec.tenant(tenantT).shelf.Item(placed.Item); it.Language() != "en" {
				t.Errorf("%s: %s is in %s", row.Name, placed.Item, it.Language())
			}
		}
		if row.Name == "found" && about(row.Slate, "gardening") != 3 || row.Name == "chess" && about(row.Slate, "chess") != 5 {
			t.Errorf("%s: %v", row.Name, ids(row.Slate))
		}
	}
	// To the end of each row by turns, at two replicas: nothing comes twice on the page.
	other := w.replica()
	for steps := 0; len(cursors) > 0 && steps < 60; steps++ {
		for name, cursor := range cursors {
			if cursor == "" {
				delete(cursors, name)
				continue
			}
			s := w.next([]*Recommender{w.rec, other}[steps%2], cursor)
			slates, cursors[name] = append(slates, s), s.Next
			if name == "chess" && about(s, "chess") != len(s.Items) {
				t.Errorf("reading on in chess brings %v", ids(s))
			}
		}
	}
	met := onlyOnce(t, slates...)
	if met["twin"] && met["music-000"] {
		t.Error("an item and its twin are on one page")
	}
	// What she does turns the order of the next page.
	for i := range 8 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", 20+i).ID})
	}
	w.does("ann", upnext.Event{Kind: upnext.NotInterested, Scope: upnext.ScopeTopic, Topic: "music"})
	turned := names(w.rows(req))
	if slices.Contains(turned, "music") || slices.Index(turned, "space") != 1 {
		t.Errorf("after many likes of space and no more of music: %v", turned)
	}
}

// TestPageExplained: each row is an answer of its own, with its trace.
func TestPageExplained(t *testing.T) {
	w := newWorld(t, 30, nil)
	w.history("ann")
	p := w.rows(upnext.PageRequest{Request: upnext.Request{Viewer: user("ann"), Explain: ExplainTrace, Count: 4}, Rows: []upnext.Row{{Name: "a"}, {Name: "b", Sources: []string{"fresh"}}}})
	for i, row := range p.Rows {
		s, err := w.rec.Recorded(t.Context(), tenantT, row.Slate.ID)
		if err != nil || s.Trace == nil || !slices.Equal(ids(s), ids(row.Slate)) {
			t.Errorf("row %d: %v %v", i, s, err)
		}
		if row.Name == "b" && (len(s.Trace.Sources) != 1 || s.Trace.Sources[0].Source != "fresh") {
			t.Errorf("sources %v, want fresh alone", s.Trace.Sources)
		}
		if claim, err := w.rec.Verify(tenantT, row.Slate.Items[0].Token); err != nil || claim.Slate != row.Slate.ID {
			t.Errorf("token of %v, %v; want of %v", claim, err, row.Slate.ID)
		}
	}
	quiet := w.rows(upnext.PageRequest{Request: upnext.Request{Viewer: user("ann"), Unrecorded: true}})
	if _, err := w.rec.Recorded(t.Context(), tenantT, quiet.Rows[0].Slate.ID); !errors.Is(err, upnext.ErrNotFound) || quiet.Rows[0].Slate.Next != "" {
		t.Errorf("not to be recorded: %v, cursor %q", err, quiet.Rows[0].Slate.Next)
	}
}

// TestPageRefused: what is wrong is named with its place.
func TestPageRefused(t *testing.T) {
	w := newWorld(t, 4, nil)
	row := func(r upnext.Row) upnext.PageRequest { return upnext.PageRequest{Rows: []upnext.Row{{Name: "ok"}, r}} }
	for field, req := range map[string]upnext.PageRequest{
		"filter":             {Request: upnext.Request{Filter: "kind =="}},
		"item_ids":           {Request: upnext.Request{Like: []upnext.ItemID{"a"}}},
		"backfill":           {Request: upnext.Request{Backfill: "popular"}},
		"rows":               {Rows: make([]upnext.Row, upnext.MaxRows+1)},
		"rows/0/name":        {Rows: make([]upnext.Row, 1)},
		"rows/1/name":        row(upnext.Row{Name: "ok"}),
		"rows/1/filter":      row(upnext.Row{Name: "x", Filter: "nope == 1"}),
		"rows/1/sources/0":   row(upnext.Row{Name: "x", Sources: []string{"nope"}}),
		"rows/1/count":       row(upnext.Row{Name: "x", Count: 201}),
		"rows/1/min_count":   row(upnext.Row{Name: "x", Count: 3, Least: 4}),
		"rows/1/query":       row(upnext.Row{Name: "x", Query: "a", Like: []upnext.ItemID{"a"}}),
		"rows/1/boosts/0/if": row(upnext.Row{Name: "x", Boosts: []upnext.Boost{{If: "kind ==", Multiply: 2}}}),
	} {
		var found *upnext.FieldError
		if _, err := w.rec.Page(t.Context(), tenantT, req); !errors.As(err, &found) || found.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
