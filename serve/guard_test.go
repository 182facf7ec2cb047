package serve

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

// expected is the promise of the guard, written down a second time from the
// events and the items alone.
type expected struct {
	now   time.Time
	items map[upnext.ItemID]upnext.Item
	did   []upnext.Event
	told  upnext.Viewer
}

// forbids says why an item may not be in the answer to req; empty: it may.
func (x expected) forbids(req upnext.Request, id upnext.ItemID) string {
	it, ok := x.items[id]
	switch {
	case !ok:
		return "is not in the catalogue"
	case it.Status != "" && it.Status != upnext.Active:
		return string(it.Status)
	case !it.AvailableFrom.IsZero() && x.now.Before(it.AvailableFrom):
		return "is not available yet"
	case !it.AvailableUntil.IsZero() && !x.now.Before(it.AvailableUntil):
		return "has expired"
	case slices.Contains(req.Exclude.Items, id) || slices.Contains(req.Exclude.Creators, it.CreatorID):
		return "is excluded"
	case slices.Contains(req.Like, id) || slices.Contains(req.Unlike, id):
		return "is what similar ones are wanted for"
	case req.Filter == filterShort && it.Duration >= 3*time.Minute, req.Filter == filterTopic && slices.Contains(it.Tags, "space"):
		return "fails the filter"
	}
	region := req.Region
	if region == "" {
		region = x.told.Region
	}
	if len(it.Regions) > 0 && !slices.Contains(it.Regions, region) {
		return "is not for the region"
	}
	age := 12
	if x.told.BirthYear > 0 {
		age = x.now.Year() - x.told.BirthYear - 1
	}
	if it.MinAge > age {
		return "is for older viewers"
	}
	for _, e := range x.did {
		avoids := e.Kind == upnext.Block || e.Kind == upnext.Mute || e.Kind == upnext.NotInterested
		switch {
		case avoids && e.Scope == upnext.ScopeItem && e.Item == id,
			avoids && e.Scope == upnext.ScopeCreator && e.Creator == it.CreatorID,
			avoids && e.Scope == upnext.ScopeTopic && slices.Contains(it.Tags, strings.ToLower(e.Topic)),
			e.Kind == upnext.Report && e.Item == id:
			return "is unwanted"
		case e.Item != id || req.Exclude.Seen == upnext.SeenNone || req.Exclude.Seen == "" && req.Query != "":
		case req.Exclude.Seen == upnext.SeenSession && e.Session != req.Session:
		case req.Exclude.SeenWithin > 0 && e.At.Before(x.now.Add(-req.Exclude.SeenWithin)):
		default:
			return "was seen"
		}
	}
	return ""
}

const (
	filterShort = "duration_ms < 180000"
	filterTopic = "not ('space' in tags)"
)

// TestGuard draws catalogues, histories, updates and requests of every class:
// nothing is returned that must not be, nothing twice, and a page is as full
// as what may be shown allows.
func TestGuard(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, 0, nil)
		x := expected{items: map[upnext.ItemID]upnext.Item{}}
		for range rapid.IntRange(1, 40).Draw(rt, "items") {
			it := drawItem(rt, w.now)
			x.items[it.ID] = it
		}
		var all []upnext.Item
		for _, id := range sortedIDs(x.items) {
			all = append(all, x.items[id])
		}
		w.put(all...)
		x.told = upnext.Viewer{
			ID: user("ann"), Region: rapid.SampledFrom([]string{"", "CN", "US"}).Draw(rt, "region"),
			BirthYear: rapid.SampledFrom([]int{0, 1980, 2010, 2018}).Draw(rt, "born"),
		}
		if _, err := w.store.Viewers.PutViewer(t.Context(), tenantT, x.told); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0: // an item changes or comes
				it := drawItem(rt, w.now)
				x.items[it.ID] = it
				w.put(it)
			case 1: // an item goes, from the catalogue alone: the index lags
				id := drawID(rt)
				delete(x.items, id)
				if _, err := w.store.Catalog.Delete(t.Context(), tenantT, id); err != nil {
					rt.Fatal(err)
				}
				w.refresh()
			case 2:
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(rt, "hours")) * time.Hour)
			default:
				e := drawEvent(rt)
				e.ID = w.does("ann", e)
				e.At = w.now
				x.did = append(x.did, e)
			}
			x.now = w.now
			req := drawRequest(rt, x)
			checkAnswer(rt, w, x, req)
			checkRows(rt, w, x, req)
		}
	})
}

func checkAnswer(rt *rapid.T, w *world, x expected, req upnext.Request) {
	s, err := w.rec.Recommend(w.t.Context(), tenantT, req)
	if err != nil {
		rt.Fatalf("%+v: %v", req, err)
	}
	met := map[upnext.ItemID]bool{}
	for i, p := range s.Items {
		if why := x.forbids(req, p.Item); why != "" {
			rt.Fatalf("%s %s: %+v\nrequest %+v\nevents %+v", p.Item, why, x.items[p.Item], req, x.did)
		}
		if met[p.Item] || p.Rank != i+1 {
			rt.Fatalf("%s at place %d has rank %d, met before: %t", p.Item, i, p.Rank, met[p.Item])
		}
		met[p.Item] = true
	}
	if s.Shortfall != req.Count-len(s.Items) {
		rt.Fatalf("shortfall %d with %d of %d", s.Shortfall, len(s.Items), req.Count)
	}
	if req.Query != "" || len(req.Like) > 0 {
		return // only what has to do with it belongs there
	}
	may := 0
	for id := range x.items {
		if x.forbids(req, id) == "" {
			may++
		}
	}
	if want := min(may, req.Count); len(s.Items) != want {
		rt.Fatalf("%d items, want %d: %d may be shown\nrequest %+v", len(s.Items), want, may, req)
	}
}

// checkRows asks for a page of rows of every class: nothing is in any that must not
// be, and nothing in two.
func checkRows(rt *rapid.T, w *world, x expected, req upnext.Request) {
	page := upnext.PageRequest{Request: req, Rows: []upnext.Row{
		{Name: "all"}, {Name: "found", Query: "space film"}, {Name: "new", Sources: []string{"fresh", "continue"}, Fixed: true},
		{Name: "own", Like: req.Like, Query: req.Query},
	}}
	page.Like, page.Query, page.LikeStrategy = nil, "", ""
	p, err := w.rec.Page(w.t.Context(), tenantT, page)
	if err != nil {
		rt.Fatalf("%+v: %v", page, err)
	}
	met := map[upnext.ItemID]string{}
	for _, row := range p.Rows {
		for _, placed := range row.Slate.Items {
			if why := x.forbids(page.Of(row.Row), placed.Item); why != "" {
				rt.Fatalf("row %s: %s %s\nrequest %+v", row.Name, placed.Item, why, page)
			}
			if other := met[placed.Item]; other != "" {
				rt.Fatalf("%s is in the rows %s and %s", placed.Item, other, row.Name)
			}
			met[placed.Item] = row.Name
		}
	}
	if len(p.Rows)+len(p.LeftOut) != len(page.Rows) {
		rt.Fatalf("%d rows, and %d left out of %d", len(p.Rows), len(p.LeftOut), len(page.Rows))
	}
}

func drawID(rt *rapid.T) upnext.ItemID {
	return upnext.ItemID(fmt.Sprintf("i%02d", rapid.IntRange(0, 40).Draw(rt, "id")))
}

func drawItem(rt *rapid.T, now time.Time) upnext.Item {
	topic := rapid.SampledFrom(topics[:3]).Draw(rt, "topic")
	it := itemOf(topic, rapid.IntRange(0, 5).Draw(rt, "maker"))
	it.ID = drawID(rt)
	it.Title += " " + string(it.ID) // or it were another's copy
	it.Duration = time.Duration(rapid.IntRange(1, 6).Draw(rt, "minutes")) * time.Minute
	it.Status = rapid.SampledFrom([]upnext.Status{"", upnext.Active, upnext.Active, upnext.Hidden, upnext.Blocked}).Draw(rt, "status")
	it.MinAge = rapid.SampledFrom([]int{0, 0, 12, 16, 18}).Draw(rt, "min age")
	it.Regions = rapid.SampledFrom([][]string{nil, nil, {"CN"}, {"US", "CN"}}).Draw(rt, "regions")
	if h := rapid.IntRange(-48, 48).Draw(rt, "from"); h > 0 {
		it.AvailableFrom = now.Add(time.Duration(h) * time.Hour)
	}
	if h := rapid.IntRange(-24, 48).Draw(rt, "until"); h > 0 && it.AvailableFrom.IsZero() {
		it.AvailableUntil = now.Add(time.Duration(h) * time.Hour)
	}
	return it
}

func drawEvent(rt *rapid.T) upnext.Event {
	e := upnext.Event{
		Kind: rapid.SampledFrom([]upnext.EventKind{
			upnext.Impression, upnext.Play, upnext.Like, upnext.Unlike, upnext.Dislike, upnext.Report,
			upnext.NotInterested, upnext.Block, upnext.Mute, upnext.Follow, upnext.Search,
		}).Draw(rt, "kind"),
		Session: rapid.SampledFrom([]string{"s1", "s2"}).Draw(rt, "session"),
		Item:    drawID(rt),
	}
	creator := fmt.Sprintf("c-%s-%d", rapid.SampledFrom(topics[:3]).Draw(rt, "of"), rapid.IntRange(0, 4).Draw(rt, "maker"))
	switch e.Kind {
	case upnext.NotInterested, upnext.Block, upnext.Mute:
		e.Scope = rapid.SampledFrom([]upnext.Scope{upnext.ScopeItem, upnext.ScopeCreator, upnext.ScopeTopic}).Draw(rt, "scope")
		switch e.Scope {
		case upnext.ScopeCreator:
			e.Creator, e.Item = creator, ""
		case upnext.ScopeTopic:
			e.Topic, e.Item = rapid.SampledFrom([]string{"Space", "cooking", "chess"}).Draw(rt, "topic"), ""
		}
	case upnext.Follow:
		e.Creator, e.Item = creator, ""
	case upnext.Search:
		e.Query, e.Item = rapid.SampledFrom([]string{"space film", "chess", "?"}).Draw(rt, "searched"), ""
	}
	return e
}

func drawRequest(rt *rapid.T, x expected) upnext.Request {
	req := upnext.Request{
		Viewer: user("ann"), Session: "s1", Count: rapid.IntRange(1, 30).Draw(rt, "count"),
		Region: rapid.SampledFrom([]string{"", "CN", "FR"}).Draw(rt, "request region"),
		Filter: rapid.SampledFrom([]string{"", "", filterShort, filterTopic}).Draw(rt, "filter"),
	}
	if rapid.Bool().Draw(rt, "excludes") {
		req.Exclude = upnext.Exclude{
			Items: []upnext.ItemID{drawID(rt)}, Creators: []string{"c-space-1"},
			Seen:       rapid.SampledFrom([]upnext.SeenScope{"", upnext.SeenNone, upnext.SeenSession, upnext.SeenAll}).Draw(rt, "seen"),
			SeenWithin: time.Duration(rapid.IntRange(0, 30).Draw(rt, "within")) * time.Hour,
		}
	}
	switch known := sortedIDs(x.items); {
	case rapid.Bool().Draw(rt, "page"):
	case rapid.Bool().Draw(rt, "search"):
		req.Query = rapid.SampledFrom([]string{"space film", "the cooking maker 2", "chess"}).Draw(rt, "query")
	case len(known) > 0:
		req.Like = []upnext.ItemID{rapid.SampledFrom(known).Draw(rt, "like")}
		req.LikeStrategy = rapid.SampledFrom([]string{"", "best_score"}).Draw(rt, "strategy")
	}
	return req
}

func sortedIDs(items map[upnext.ItemID]upnext.Item) []upnext.ItemID {
	list := make([]upnext.ItemID, 0, len(items))
	for id := range items {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}
