package rule

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/filter"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func itemOf(change func(*upnext.Item)) *shelf.Item {
	it := upnext.Item{ID: "x", Kind: "video", Title: "X", CreatorID: "c", Tags: []string{"Horror"}}
	if change != nil {
		change(&it)
	}
	var s shelf.Shelf
	s.Apply(upnext.Record{Version: 1, Item: it})
	return s.Item(it.ID)
}

// TestCause has a case for each cause, and its neighbour that passes.
func TestCause(t *testing.T) {
	video, err := filter.Parse("kind == 'video'", nil)
	if err != nil {
		t.Fatal(err)
	}
	averse := func(s *taste.State) *taste.State {
		if s.Seen == nil {
			s.Seen = map[upnext.ItemID]time.Time{}
		}
		return s
	}
	seen := averse(&taste.State{Seen: map[upnext.ItemID]time.Time{"x": noon.Add(-time.Hour)}})
	tests := []struct {
		name  string
		item  func(*upnext.Item)
		guard func(*Guard)
		want  Cause
	}{
		{"plain", nil, nil, ""},
		{"hidden", func(it *upnext.Item) { it.Status = upnext.Hidden }, nil, Inactive},
		{"a minute early", func(it *upnext.Item) { it.AvailableFrom = noon.Add(time.Minute) }, nil, NotYet},
		{"just now", func(it *upnext.Item) { it.AvailableFrom = noon }, nil, ""},
		{"ends now", func(it *upnext.Item) { it.AvailableUntil = noon }, nil, Expired},
		{"ends later", func(it *upnext.Item) { it.AvailableUntil = noon.Add(1) }, nil, ""},
		{"region not known", func(it *upnext.Item) { it.Regions = []string{"CN"} }, nil, Region},
		{"another region", func(it *upnext.Item) { it.Regions = []string{"CN"} }, func(g *Guard) { g.Region = "US" }, Region},
		{"the region", func(it *upnext.Item) { it.Regions = []string{"US", "CN"} }, func(g *Guard) { g.Region = "CN" }, ""},
		{"too young", func(it *upnext.Item) { it.MinAge = 13 }, nil, Age},
		{"old enough", func(it *upnext.Item) { it.MinAge = 12 }, nil, ""},
		{"excluded", nil, func(g *Guard) { g.Items = map[upnext.ItemID]bool{"x": true} }, Excluded},
		{"excluded maker", nil, func(g *Guard) { g.Creators = map[string]bool{"c": true} }, Excluded},
		{"no maker is nobody's", func(it *upnext.Item) { it.CreatorID = "" }, func(g *Guard) { g.Creators = map[string]bool{"": true} }, ""},
		{"unwanted", nil, func(g *Guard) {
			g.Viewer = averse(&taste.State{Items: map[upnext.ItemID]upnext.Aversion{"x": {}}})
		}, Unwanted},
		{"unwanted maker", nil, func(g *Guard) {
			g.Viewer = averse(&taste.State{Creators: map[string]upnext.Aversion{"c": {}}})
		}, UnwantedMaker},
		{"unwanted topic, though seen are allowed", nil, func(g *Guard) {
			g.Seen = upnext.SeenNone
			g.Viewer = averse(&taste.State{Topics: map[string]upnext.Aversion{"horror": {}}})
		}, UnwantedTopic},
		{"seen", nil, func(g *Guard) { g.Viewer = seen }, AlreadySeen},
		{"seen, and allowed", nil, func(g *Guard) { g.Viewer, g.Seen = seen, upnext.SeenNone }, ""},
		{"seen long ago", nil, func(g *Guard) { g.Viewer, g.SeenSince = seen, noon.Add(-time.Minute) }, ""},
		{"seen lately", nil, func(g *Guard) { g.Viewer, g.SeenSince = seen, noon.Add(-time.Hour) }, AlreadySeen},
		{"seen in another session", nil, func(g *Guard) { g.Viewer, g.Seen = seen, upnext.SeenSession }, ""},
		{"seen in this one", nil, func(g *Guard) {
			g.Seen, g.SeenInVisit = upnext.SeenSession, map[upnext.ItemID]bool{"x": true}
		}, AlreadySeen},
		{"passes the filter", nil, func(g *Guard) { g.Filter = video }, ""},
		{"fails the filter", func(it *upnext.Item) { it.Kind = "music" }, func(g *Guard) { g.Filter = video }, Filtered},
	}
	for _, tt := range tests {
		g := Guard{Now: noon, Age: 12, Viewer: averse(&taste.State{}), Seen: upnext.SeenAll}
		if tt.guard != nil {
			tt.guard(&g)
		}
		it := itemOf(tt.item)
		if got := g.Cause(it); got != tt.want || g.Pass(it) != (tt.want == "") {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	g := Guard{Viewer: &taste.State{}}
	if got := g.Cause(nil); got != Gone {
		t.Errorf("nothing: %q, want %q", got, Gone)
	}
}

// ranked makes candidates of falling score: "a1" is about a, by maker 1.
func ranked(names ...string) []Ranked {
	list := make([]Ranked, len(names))
	for i, n := range names {
		list[i] = Ranked{Score: 1 - float64(i)/100, Item: itemOf(func(it *upnext.Item) {
			it.ID, it.Title, it.Tags, it.CreatorID = upnext.ItemID(fmt.Sprint(n, i)), fmt.Sprint(n, i), []string{n[:1]}, n[1:]
		})}
		list[i].Vector = map[byte][]float32{'a': {1, 0}, 'b': {0, 1}}[n[0]]
	}
	return list
}

func apart(dial float64, by Method) Diversity { return Diversity{Dial: dial, Method: by, Pool: 10} }

// TestArrange: by score, by difference, under the cap, and full all the same.
func TestArrange(t *testing.T) {
	tests := []struct {
		name string
		page Page
		from []Ranked
		want []int
	}{
		{"by score alone", Page{Count: 3}, ranked("a1", "a2", "b3", "b4"), []int{0, 1, 2}},
		{"different ones in turn", Page{Count: 4, Diversity: apart(0.6, MMR)}, ranked("a1", "a2", "a3", "b4", "b5"), []int{0, 3, 1, 2}},
		{"by volume", Page{Count: 4, Diversity: apart(0.6, DPP)}, ranked("a1", "a2", "a3", "b4", "b5"), []int{0, 3, 1, 2}},
		{"without vectors by topic", Page{Count: 2, Diversity: apart(0.9, MMR)}, ranked("n1", "n2", "o3"), []int{0, 2}},
		{"the cap", Page{Count: 3, Creators: Cap{Page: 1}}, ranked("a1", "a1", "b2", "b3"), []int{0, 2, 3}},
		{"the cap gives way", Page{Count: 3, Creators: Cap{Page: 1}}, ranked("a1", "a1", "b1"), []int{0, 1, 2}},
		{"nobody has no cap", Page{Count: 2, Creators: Cap{Page: 1}}, ranked("a", "a", "b1"), []int{0, 1}},
		{"a share is two places in any case", Page{Count: 3, Creators: Cap{Share: 0.2}}, ranked("a1", "a1", "a1", "b2"), []int{0, 1, 3}},
		{"the window", Page{Count: 4, Creators: Cap{Places: 1, Within: 2}}, ranked("a1", "a1", "b2", "b3"), []int{0, 2, 1, 3}},
		{"the rest fills up", Page{Count: 3, Diversity: Diversity{Pool: 1}, Creators: Cap{Page: 1}}, ranked("a1", "a1", "b2", "b3"), []int{0, 2, 3}},
		{"fewer than asked for", Page{Count: 9, Diversity: apart(0.3, DPP)}, ranked("a1", "b2"), []int{0, 1}},
		{"nothing", Page{Count: 9}, nil, []int{}},
		{"near ones are one", Page{Count: 3, Near: 0.9}, ranked("a1", "a2", "b3", "b4"), []int{0, 2}},
		{"the viewer's mix", Page{Count: 4, Diversity: apart(0, MMR), Mix: taste.Mix{{Topic: "n", Share: 0.5}, {Topic: "o", Share: 0.5}, {Share: 1e-6}}, Calibrate: 0.9},
			ranked("n1", "n2", "n3", "o4", "o5"), []int{0, 3, 1, 4}},
	}
	for _, tt := range tests {
		if got := tt.page.Arrange(tt.from); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
