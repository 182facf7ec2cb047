package source

import (
	"fmt"
	"testing"
	"time"

	"upnext"
	"upnext/serve/crowd"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// TestSession: near what the session took to, however much more the history
// says of something else.
func TestSession(t *testing.T) {
	ask := fixture(t, "b3").likes(t, "a1", "a2", "a3", "a4")
	if got, _ := recalled(t, Session{}, ask, 4); got != "" {
		t.Errorf("%s without a session", got)
	}
	ask.Visit = taste.VisitOf([]taste.Act{{Kind: upnext.Like, Item: "b3", At: noon}}, ask.Shelf, taste.DefaultSettings())
	got, found := recalled(t, Session{}, ask, 4)
	if got != "b4 b2 b5 b1" && got != "b2 b4 b1 b5" || found[0].From.Item.ID != "b3" {
		t.Errorf("session %q, want the nearest of b3", got)
	}
	ask.Index = nil
	if got, _ := recalled(t, Session{}, ask, 4); got != "" {
		t.Errorf("%s without an index", got)
	}
}

// TestFriendsSource: by how many friends like it; strangers and what does not
// pass are left out.
func TestFriendsSource(t *testing.T) {
	ask := fixture(t, "a2")
	for who, ids := range map[string][]upnext.ItemID{"bob": {"a0", "b1", "a2"}, "cyd": {"b1"}, "eve": {"b9"}} {
		for _, id := range ids {
			ask.Crowd.Like(upnext.ViewerID{ID: who}, ask.Shelf.Item(id).Ord, noon)
		}
	}
	if got, _ := recalled(t, Friends{}, ask, 5); got != "" {
		t.Errorf("%q for somebody without friends", got)
	}
	ask.Viewer.Friends = map[string]bool{"bob": true, "cyd": true, "nobody": true}
	if got, _ := recalled(t, Friends{}, ask, 5); got != "b1 a0" {
		t.Errorf("friends like %q, want b1 a0", got)
	}
}

// TestContinue: the latest first, though seen; not what may not be shown.
func TestContinue(t *testing.T) {
	ask := fixture(t)
	for _, id := range []upnext.ItemID{"a1", "b2", "a3"} {
		ask.Viewer.Begun = append(ask.Viewer.Begun, taste.Begun{Item: ask.Shelf.Item(id)})
	}
	ask.Pass = func(*shelf.Item) bool { return false } // all are seen
	ask.Resume = func(it *shelf.Item) bool { return it.Item.ID != "b2" }
	if got, _ := recalled(t, Continue{}, ask, 5); got != "a1 a3" {
		t.Errorf("continue %q, want a1 a3", got)
	}
	ask.Shelf.Apply(upnext.Record{Version: 99, Deleted: true, Item: upnext.Item{ID: "a1"}})
	if got, _ := recalled(t, Continue{}, ask, 1); got != "a3" {
		t.Errorf("with a1 gone continue %q, want a3", got)
	}
}

// TestEpisode: the first one after the last that passes; none while one is begun.
func TestEpisode(t *testing.T) {
	ask := fixture(t, "s3")
	for i := range 5 {
		ask.Shelf.Apply(upnext.Record{Version: int64(100 + i), Item: upnext.Item{ID: upnext.ItemID(fmt.Sprint("s", i)), SeriesID: "s", Episode: i}})
	}
	last := ask.Shelf.Item("s2")
	ask.Viewer.Series = []taste.Watching{{Series: "s", Last: last}, {Series: "gone", Last: last}}
	got, found := recalled(t, Episode{}, ask, 5)
	if got != "s4" || found[0].From != last {
		t.Errorf("after s2 comes %q, want s4, as s3 does not pass", got)
	}
	ask.Viewer.Begun = []taste.Begun{{Item: last}}
	if got, _ := recalled(t, Episode{}, ask, 5); got != "" {
		t.Errorf("%q while s2 is begun", got)
	}
}

// TestLive: what runs, by taste and audience; what has ended is gone.
func TestLive(t *testing.T) {
	ask := fixture(t, "l4").likes(t, "a1")
	for i, tag := range []string{"b", "a", "b", "b", "a"} {
		ask.Shelf.Apply(upnext.Record{Version: int64(100 + i), Item: upnext.Item{
			ID: upnext.ItemID(fmt.Sprint("l", i)), Kind: "live", RoomState: upnext.RoomOn, Tags: []string{tag},
		}})
	}
	for v := range 3 {
		ask.Crowd.Add(upnext.ViewerID{ID: fmt.Sprint(v)}, ask.Shelf.Item("l2").Ord, noon.Add(-time.Minute), noon, "")
	}
	ask.Topics = ask.Shelf.Leanings(ask.Viewer.ToTopic)
	if got, _ := recalled(t, Live{}, ask, 3); got != "l1 l2 l0" {
		t.Errorf("live %q, want the liked topic, the audience, the rest: l1 l2 l0", got)
	}
	ask.Shelf.Apply(upnext.Record{Version: 200, Item: upnext.Item{ID: "l1", Kind: "live", RoomState: upnext.RoomOff}})
	if got, _ := recalled(t, Live{}, ask, 2); got != "l2 l0" {
		t.Errorf("with l1 ended live %q, want l2 l0", got)
	}
}

// BenchmarkNow measures the sources that read lists, over 100,000 items of
// which 1,000 are live.
func BenchmarkNow(b *testing.B) {
	ask := Ask{Now: noon, Shelf: &shelf.Shelf{}, Pass: func(*shelf.Item) bool { return true }, Crowd: crowd.New(crowd.DefaultSettings())}
	ask.Resume = ask.Pass
	records := make([]upnext.Record, 100_000)
	for i := range records {
		it := upnext.Item{ID: upnext.ItemID(fmt.Sprint("i", i)), Kind: "video", Title: "film", Tags: []string{fmt.Sprint("t", i%50)}, SeriesID: fmt.Sprint("s", i/100), Episode: i % 100}
		if i%100 == 0 {
			it.Kind, it.RoomState = "live", upnext.RoomOn
		}
		records[i] = upnext.Record{Version: int64(i + 1), Item: it}
	}
	ask.Shelf.Apply(records...)
	ask.Viewer = taste.Fold([]taste.Act{{Kind: upnext.Like, Item: "i5", At: noon}, {Kind: upnext.Follow, Target: "bob", At: noon}}, ask.Shelf, taste.DefaultSettings())
	ask.Viewer.Begun = []taste.Begun{{Item: ask.Shelf.Item("i7")}}
	for i := range 16 {
		ask.Crowd.Like(upnext.ViewerID{ID: "bob"}, int32(1000*i), noon)
	}
	for _, s := range []Source{Friends{}, Continue{}, Episode{}, Live{}} {
		b.Run(s.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Recall(b.Context(), ask, 12); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
