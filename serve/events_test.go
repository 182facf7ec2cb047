package serve

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
)

// history gives a viewer something to go by: they watch space and travel.
func (w *world) history(viewer string) {
	for i := range 4 {
		w.does(viewer, upnext.Event{Kind: upnext.Like, Item: itemOf("space", i).ID})
		w.does(viewer, upnext.Event{Kind: upnext.Play, Item: itemOf("travel", i).ID})
	}
	w.now = w.now.Add(24 * time.Hour)
}

// TestLike is the promise of the first screen: the share rises, the item is
// gone, a reason names it.
func TestLike(t *testing.T) {
	w := newWorld(t, 30, nil)
	w.history("ann")
	before := w.page("ann")
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: "cooking-010"})
	after := w.page("ann")
	if got, was := about(after, "cooking"), about(before, "cooking"); got <= was {
		t.Errorf("after a like of cooking %d of 20 are of cooking, want more than the %d before", got, was)
	}
	if _, ok := find(after, "cooking-010"); ok {
		t.Error("the liked item is on the next page")
	}
	named := 0
	for _, p := range after.Items {
		for _, r := range p.Reasons {
			if r.Code == "because_liked" && r.Item == "cooking-010" && strings.Contains(r.Text, "A cooking film, number 10") {
				named++
			}
			about, _, _ := strings.Cut(string(r.Item), "-")
			if topic, _, _ := strings.Cut(string(p.Item), "-"); strings.HasPrefix(r.Code, "because") && topic != about {
				t.Errorf("%s is said to be there because of %s", p.Item, r.Item)
			}
		}
	}
	if named == 0 {
		t.Error("no reason names the liked item")
	}
}

// TestEachEvent takes one event after another and looks at the next answer.
func TestEachEvent(t *testing.T) {
	tests := []struct {
		name  string
		event func(first upnext.Record) upnext.Event
		holds func(before, after upnext.Slate, first upnext.Record) bool
	}{
		{"impression", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.Impression, Item: f.Item.ID}
		}, gone},
		{"play", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.Play, Item: f.Item.ID}
		}, gone},
		{"dislike", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.Dislike, Item: f.Item.ID}
		}, gone},
		{"not interested in the item", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.NotInterested, Scope: upnext.ScopeItem, Item: f.Item.ID}
		}, gone},
		{"not interested in the creator", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.NotInterested, Scope: upnext.ScopeCreator, Creator: f.Item.CreatorID}
		}, creatorGone},
		{"not interested in the topic", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.NotInterested, Scope: upnext.ScopeTopic, Topic: strings.ToUpper(f.Item.Tags[0])}
		}, topicGone},
		{"block the creator", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeCreator, Creator: f.Item.CreatorID}
		}, creatorGone},
		{"mute the topic", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.Mute, Scope: upnext.ScopeTopic, Topic: f.Item.Tags[0]}
		}, topicGone},
		{"report", func(f upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.Report, Item: f.Item.ID}
		}, gone},
		{"follow", func(upnext.Record) upnext.Event {
			return upnext.Event{Kind: upnext.Follow, Creator: "c-chess-1"}
		}, func(_, after upnext.Slate, _ upnext.Record) bool {
			return slices.ContainsFunc(after.Items, func(p upnext.Placed) bool {
				return strings.HasPrefix(string(p.Item), "chess-") && slices.ContainsFunc(p.Reasons, func(r upnext.Reason) bool {
					return r.Code == "from_followed" && r.Text == "New from The chess maker 1, whom you follow"
				})
			})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 20, nil)
			w.history("ann")
			before := w.page("ann")
			first, ok := w.rec.Record(tenantT, before.Items[0].Item)
			if !ok {
				t.Fatal("the first item is not on the shelf")
			}
			w.does("ann", tt.event(first))
			if after := w.page("ann"); !tt.holds(before, after, first) {
				t.Errorf("the next answer has not felt it: before %v, after %v", ids(before), ids(after))
			}
		})
	}
}

func gone(_, after upnext.Slate, first upnext.Record) bool {
	_, ok := find(after, first.Item.ID)
	return !ok && len(after.Items) == 20
}

func creatorGone(_, after upnext.Slate, first upnext.Record) bool {
	topic, maker := first.Item.Tags[0], first.Item.CreatorID[len(first.Item.CreatorID)-1]
	for i := range 20 {
		if it := itemOf(topic, i); it.CreatorID[len(it.CreatorID)-1] == maker {
			if _, ok := find(after, it.ID); ok {
				return false
			}
		}
	}
	return len(after.Items) == 20
}

func topicGone(before, after upnext.Slate, first upnext.Record) bool {
	return about(before, first.Item.Tags[0]) > 0 && about(after, first.Item.Tags[0]) == 0 && len(after.Items) == 20
}

// TestTakeBack: an unlike, an unfollow and a retraction undo what they name.
func TestTakeBack(t *testing.T) {
	w := newWorld(t, 30, nil)
	w.history("ann")
	profile := func() upnext.Profile {
		p, err := w.rec.Profile(t.Context(), tenantT, user("ann"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	likes := func(topic string) bool {
		return slices.ContainsFunc(profile().Topics, func(b upnext.Belief) bool { return b.Value == topic && b.Weight > 0 })
	}
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: "cooking-010"})
	if !likes("cooking") {
		t.Fatal("a like leaves no trace in the profile")
	}
	w.does("ann", upnext.Event{Kind: upnext.Unlike, Item: "cooking-010"})
	if likes("cooking") {
		t.Error("after the unlike cooking is still liked")
	}
	w.does("ann", upnext.Event{Kind: upnext.Follow, Creator: "c-chess-1"})
	w.does("ann", upnext.Event{Kind: upnext.Unfollow, Creator: "c-chess-1"})
	if got := profile().Follows; len(got) > 0 {
		t.Errorf("after the unfollow %v are followed", got)
	}
	clean := w.page("ann")
	block := w.does("ann", upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeTopic, Topic: "space"})
	like := w.does("ann", upnext.Event{Kind: upnext.Like, Item: "music-003"})
	if got := about(w.page("ann"), "space"); got != 0 {
		t.Errorf("%d of a blocked topic", got)
	}
	for _, id := range []upnext.EventID{block, like} {
		if err := w.rec.Retract(t.Context(), tenantT, user("ann"), id); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := ids(w.page("ann")), ids(clean); !slices.Equal(got, want) {
		t.Errorf("after the retraction the page is %v, want the one before: %v", got, want)
	}
	err := w.rec.Retract(t.Context(), tenantT, user("ann"), like)
	if !errors.Is(err, upnext.ErrNotFound) || !strings.Contains(err.Error(), string(like)) {
		t.Errorf("retract twice: %v, want ErrNotFound naming it", err)
	}
}

// TestRetractCounts: what the crowd counted goes with the event, unless
// another event speaks for the same item.
func TestRetractCounts(t *testing.T) {
	w := newWorld(t, 3, nil)
	play := w.does("ann", upnext.Event{Kind: upnext.Play, Item: "space-001"})
	like := w.does("ann", upnext.Event{Kind: upnext.Like, Item: "space-001"})
	w.refresh()
	brought := func() bool {
		p, ok := find(w.page("new"), "space-001")
		return ok && slices.Contains(p.Sources, "popular") && slices.Contains(p.Sources, "trending")
	}
	if !brought() {
		t.Fatal("what was watched is not popular")
	}
	if err := w.rec.Retract(t.Context(), tenantT, user("ann"), like); err != nil {
		t.Fatal(err)
	}
	if !brought() {
		t.Error("with the play left it is not popular any more")
	}
	if err := w.rec.Retract(t.Context(), tenantT, user("ann"), play); err != nil {
		t.Fatal(err)
	}
	if brought() {
		t.Error("with no event left it is still popular")
	}
}

// TestDuplicate: an event counts once, however often it comes.
func TestDuplicate(t *testing.T) {
	w := newWorld(t, 10, nil)
	e := upnext.Event{ID: "one", Kind: upnext.Like, Item: "space-001", Viewer: user("ann"), At: w.now}
	for i := range 3 {
		got, err := w.rec.Feedback(t.Context(), tenantT, e)
		if err != nil || got[0].Duplicate != (i > 0) {
			t.Fatalf("time %d: %+v, %v", i, got, err)
		}
	}
	w.refresh()
	p, err := w.rec.Profile(t.Context(), tenantT, user("ann"))
	if err != nil || p.Events != 1 || p.Seen != 1 {
		t.Errorf("profile has %d events, %d seen, %v; want 1, 1", p.Events, p.Seen, err)
	}
	if len(p.Interests) != 1 || p.Interests[0].Item != "space-001" {
		t.Errorf("profile has interests %+v, want the liked item", p.Interests)
	}
	bad := e
	bad.ID, bad.Item = "two", ""
	_, err = w.rec.Feedback(t.Context(), tenantT, e, bad)
	if !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "events/1") {
		t.Errorf("a bad event: %v, want ErrInvalid naming events/1", err)
	}
}

// TestErase: nothing is left of a viewer anywhere.
func TestErase(t *testing.T) {
	w := newWorld(t, 10, nil)
	w.history("ann")
	w.refresh()
	if _, err := w.store.Viewers.PutViewer(t.Context(), tenantT, upnext.Viewer{ID: user("ann"), Locale: "zh-CN"}); err != nil {
		t.Fatal(err)
	}
	first := w.page("ann")
	w.rec.flushSlates(t.Context())
	w.page("ann") // its slate waits
	got, err := w.rec.Erase(t.Context(), tenantT, user("ann"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Receipt{Viewer: user("ann"), Events: 8, Slates: 2, Properties: true, At: w.now}); got != want {
		t.Errorf("receipt %+v, want %+v", got, want)
	}
	w.rec.flushSlates(t.Context())
	if _, err := w.store.Slates.Slate(t.Context(), tenantT, first.ID); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("the slate is still there: %v", err)
	}
	p, err := w.rec.Profile(t.Context(), tenantT, user("ann"))
	if err != nil || p.Known || len(p.Interests)+len(p.Topics)+p.Seen > 0 {
		t.Errorf("the profile is %+v, %v; want an empty one", p, err)
	}
	for _, placed := range w.page("new").Items {
		if slices.Contains(placed.Sources, "popular") || slices.Contains(placed.Sources, "trending") {
			t.Errorf("%s is still popular by what was erased", placed.Item)
		}
	}
	if got, err = w.rec.Erase(t.Context(), tenantT, user("ann")); err != nil || got.Events+got.Slates > 0 || got.Properties {
		t.Errorf("erase twice: %+v, %v", got, err)
	}
}
