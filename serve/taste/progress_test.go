package taste

import (
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/serve/shelf"
)

// watched is a watch of so many minutes that stood at another one.
func watched(kind upnext.EventKind, item upnext.ItemID, minutes, position float64) Act {
	at := func(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }
	return Act{Kind: kind, Item: item, Watched: true, Watch: upnext.Watch{Watched: at(minutes), Position: at(position)}}
}

// TestBegun has a case for each way to begin an item, and to be done with it.
// Items are 10 minutes long; acts are newest first.
func TestBegun(t *testing.T) {
	sh := &shelf.Shelf{}
	sh.Apply(upnext.Record{Version: 1, Item: upnext.Item{ID: "x", Kind: "video", Duration: 10 * time.Minute, SeriesID: "s", Episode: 1}},
		upnext.Record{Version: 2, Item: upnext.Item{ID: "l", Kind: "live"}},
		upnext.Record{Version: 3, Item: upnext.Item{ID: "y", Kind: "video", Duration: 10 * time.Minute, SeriesID: "s", Episode: 2}})
	progress := watched(upnext.Progress, "x", 3, 4)
	tests := []struct {
		name string
		acts []Act
		want time.Duration // the position; 0: not begun
	}{
		{"watched in part", acts(progress), 4 * time.Minute},
		{"without a position the time watched stands", acts(watched(upnext.Progress, "x", 3, 0)), 3 * time.Minute},
		{"only opened", acts(Act{Kind: upnext.Play, Item: "x"}), 0},
		{"opened anew", acts(Act{Kind: upnext.Play, Item: "x"}, progress), 4 * time.Minute},
		{"left within a second", acts(watched(upnext.Progress, "x", 0.01, 0.01)), 0},
		{"nine tenths watched", acts(watched(upnext.Progress, "x", 9, 9)), 0},
		{"stands in the credits", acts(watched(upnext.Progress, "x", 1, 9.8)), 0},
		{"complete", acts(watched(upnext.Complete, "x", 10, 10), progress), 0},
		{"skipped", acts(Act{Kind: upnext.Skip, Item: "x"}, progress), 0},
		{"begun again after the end", acts(progress, watched(upnext.Complete, "x", 10, 10)), 4 * time.Minute},
		{"disliked", acts(Act{Kind: upnext.Dislike, Item: "x"}, progress), 0},
		{"not interested", acts(Act{Kind: upnext.NotInterested, Scope: upnext.ScopeItem, Item: "x"}, progress), 0},
		{"liked all the same", acts(Act{Kind: upnext.Like, Item: "x"}, progress), 4 * time.Minute},
		{"a live stream", acts(watched(upnext.Progress, "l", 3, 4)), 0},
	}
	for _, tt := range tests {
		var got time.Duration
		if s := Fold(tt.acts, sh, DefaultSettings()); len(s.Begun) > 0 {
			got = s.Begun[0].Position
		}
		if got != tt.want {
			t.Errorf("%s: begun at %s, want %s", tt.name, got, tt.want)
		}
	}
	s := Fold(acts(watched(upnext.Complete, "x", 10, 10), watched(upnext.Complete, "y", 10, 10)), sh, DefaultSettings())
	if len(s.Series) != 1 || s.Series[0].Last.Item.ID != "x" {
		t.Errorf("series %+v, want one at the episode watched last, x", s.Series)
	}
	if s := Fold(acts(Act{Kind: upnext.Skip, Item: "x"}, progress), sh, DefaultSettings()); len(s.Series) != 0 {
		t.Errorf("a series whose episode was skipped is watched: %+v", s.Series)
	}
	if s := Fold(acts(Act{Kind: upnext.Dislike, Item: "x"}), sh, DefaultSettings()); len(s.Series) != 0 {
		t.Errorf("a disliked series is watched: %+v", s.Series)
	}
}

// TestFriends: users are followed apart from creators, the newest act decides.
func TestFriends(t *testing.T) {
	s := Fold(acts(Act{Kind: upnext.Unfollow, Target: "bob"}, Act{Kind: upnext.Follow, Target: "bob"},
		Act{Kind: upnext.Follow, Target: "cyd"}, Act{Kind: upnext.Follow, Creator: "bob"}), shelfOf(), DefaultSettings())
	if s.Friends["bob"] || !s.Friends["cyd"] || !s.Follows["bob"] || s.Follows["cyd"] {
		t.Errorf("friends %v, creators %v; want cyd, and bob", s.Friends, s.Follows)
	}
}

// TestVisit: in a session minutes count; what other sessions did does not.
func TestVisit(t *testing.T) {
	sh := shelfOf("a", "b")
	of := []Act{
		{Kind: upnext.Like, Item: "b1", Session: "now", At: noon},
		{Kind: upnext.Like, Item: "a0", Session: "now", At: noon.Add(-20 * time.Minute)},
		{Kind: upnext.Like, Item: "a0", Session: "then", At: noon.Add(-time.Hour)},
	}
	here := VisitActs("now", len(of), func(i int) *Act { return &of[i] })
	v := VisitOf(here, sh, DefaultSettings())
	if len(here) != 2 || len(v.Positive) != 2 || v.Positive[0].Item.Item.ID != "b1" {
		t.Fatalf("%d acts, %+v; want two, b1 first", len(here), v)
	}
	if got := v.Positive[0].Weight / v.Positive[1].Weight; got < 3.9 || got > 4.1 {
		t.Errorf("after two half-lives the newer weighs %g times as much, want 4", got)
	}
	if v := VisitOf(nil, sh, DefaultSettings()); v != nil {
		t.Errorf("nothing done gives %+v", v)
	}
	if got := v.InterestsOf([][]float32{{1, 0}, {0, 1}}); len(got) != 2 || len(v.Interests) != 0 {
		t.Errorf("interests %+v, and the visit keeps %+v; want two, none", got, v.Interests)
	}
	many := slices.Repeat(of[:1], 5000)
	if got := VisitActs("now", len(many), func(i int) *Act { return &many[i] }); len(got) != visitActs {
		t.Errorf("of a long session %d acts are kept, want %d", len(got), visitActs)
	}
}
