package serve

import (
	"fmt"
	"testing"

	"upnext"
)

// TestTrendingInRegion: who is in a region finds what trends there, be it that the
// events say where they happened or that their viewers have asked from there; others
// find what trends among all.
func TestTrendingInRegion(t *testing.T) {
	w := newWorld(t, 6, nil)
	watch := func(viewers int, name string, item upnext.ItemID, context map[string]any) {
		for v := range viewers {
			w.does(fmt.Sprint(name, v), upnext.Event{Kind: upnext.Like, Item: item, Context: context})
		}
	}
	leads := func(region string) upnext.ItemID {
		t.Helper()
		s := w.asks(upnext.Request{Region: region, Sources: []string{"trending"}, Count: 3, Explain: ExplainTrace})
		for _, p := range s.Items {
			if p.Origins[0].Source == "trending" && p.Origins[0].Rank == 1 {
				return p.Item
			}
		}
		t.Fatalf("nothing trends in %q", region)
		return ""
	}
	everywhere, here, there := itemOf("space", 1).ID, itemOf("chess", 2).ID, itemOf("music", 3).ID
	watch(100, "w", everywhere, nil)
	watch(40, "d", here, map[string]any{"region": "DE"})
	for v := range 40 { // these have asked, and their events do not say where they are
		w.asks(upnext.Request{Viewer: user(fmt.Sprint("s", v)), Region: "SE"})
	}
	watch(40, "s", there, nil)
	w.refresh()
	for region, want := range map[string]upnext.ItemID{"": everywhere, "FR": everywhere, "DE": here, "SE": there} {
		if got := leads(region); got != want {
			t.Errorf("in %q %s leads, want %s", region, got, want)
		}
	}
}
