package taste

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/serve/shelf"
	"upnext/serve/vec"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func watch(kind upnext.EventKind, watched, length time.Duration) Act {
	return Act{Kind: kind, Item: "x", Watched: true, Watch: upnext.Watch{Watched: watched, Position: time.Hour, Duration: length}}
}

// TestWeigh: the derived labels, at their edges.
func TestWeigh(t *testing.T) {
	set := DefaultSettings()
	minute := time.Minute
	tests := []struct {
		name string
		act  Act
		item time.Duration
		want float64
	}{
		{"like", Act{Kind: upnext.Like}, minute, 1.5},
		{"unlike says nothing by itself", Act{Kind: upnext.Unlike}, minute, 0},
		{"best rating", Act{Kind: upnext.Rate, Value: 1}, 0, 1.5},
		{"middling rating", Act{Kind: upnext.Rate, Value: 0.5}, 0, 0},
		{"worst rating is half as bad", Act{Kind: upnext.Rate, Value: 0}, 0, -0.75},
		{"play without a watch", Act{Kind: upnext.Play}, minute, 0.3},
		{"seen to 90 %", watch(upnext.Progress, 54*time.Second, minute), 0, set.Finished},
		{"just below", watch(upnext.Progress, 53*time.Second, minute), 0, set.ValidView},
		{"the player does not know the length", watch(upnext.Progress, 54*time.Second, 0), minute, set.Finished},
		{"ten seconds of an hour", watch(upnext.Progress, 10*time.Second, time.Hour), 0, set.ValidView},
		{"30 % of a short", watch(upnext.Progress, 6*time.Second, 20*time.Second), 0, set.ValidView},
		{"less than either", watch(upnext.Progress, 5*time.Second, 20*time.Second), 0, 0},
		{"left within 3 s", watch(upnext.Skip, 2999*time.Millisecond, minute), 0, set.QuickSkip},
		{"complete by seeking to the end", watch(upnext.Complete, time.Second, minute), 0, set.QuickSkip},
		{"a two second clip seen through", watch(upnext.Complete, 2*time.Second, 2*time.Second), 0, set.Finished},
		{"skipped after 5 s", watch(upnext.Skip, 5*time.Second, minute), 0, -0.4},
		{"went on after a fair look", watch(upnext.Skip, 20*time.Second, minute), 0, 0},
		{"a live stream has no ratio", watch(upnext.Progress, time.Hour, 0), 0, set.ValidView},
		{"not interested in the item", Act{Kind: upnext.NotInterested, Scope: upnext.ScopeItem}, 0, -2},
		{"not interested in the creator", Act{Kind: upnext.NotInterested, Scope: upnext.ScopeCreator, Item: "x"}, 0, 0},
	}
	for _, tt := range tests {
		if got := set.Weigh(tt.act, tt.item); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", tt.name, got, tt.want)
		}
	}
}

// shelfOf has items by id, each about one topic by one creator.
func shelfOf(topics ...string) *shelf.Shelf {
	s := &shelf.Shelf{}
	for i, topic := range topics {
		s.Apply(upnext.Record{Version: int64(i + 1), Item: upnext.Item{
			ID: upnext.ItemID(fmt.Sprint(topic, i)), Title: topic, Tags: []string{topic}, CreatorID: "c-" + topic, Duration: time.Minute,
		}})
	}
	return s
}

// acts makes them newest first, an hour apart.
func acts(list ...Act) []Act {
	for i := range list {
		list[i].At = noon.Add(-time.Duration(i) * time.Hour)
	}
	return list
}

// TestFold: what follows from a few acts.
func TestFold(t *testing.T) {
	sh := shelfOf("a", "b", "c")
	set := DefaultSettings()
	weight := func(s *State, id upnext.ItemID) float64 {
		for _, sig := range slices.Concat(s.Positive, s.Negative) {
			if sig.Item.Item.ID == id {
				return sig.Weight
			}
		}
		return 0
	}
	tests := []struct {
		name  string
		acts  []Act
		check func(s *State) bool
	}{
		{"nothing", nil, func(s *State) bool { return !s.Known && len(s.Positive) == 0 }},
		{"a like then an unlike", acts(Act{Kind: upnext.Unlike, Item: "a0"}, Act{Kind: upnext.Like, Item: "a0"}), func(s *State) bool {
			_, seen := s.Seen["a0"]
			return weight(s, "a0") == 0 && seen
		}},
		{"an unlike then a like", acts(Act{Kind: upnext.Like, Item: "a0"}, Act{Kind: upnext.Unlike, Item: "a0"}), func(s *State) bool {
			return weight(s, "a0") == 1.5 && s.Positive[0].Liked
		}},
		{"a like then a dislike", acts(Act{Kind: upnext.Dislike, Item: "a0"}, Act{Kind: upnext.Like, Item: "a0"}), func(s *State) bool {
			return weight(s, "a0") == -2 && s.ToTopic["a"] < 0 && s.ToCreator["c-a"] < 0
		}},
		{"a hundred plays are one", acts(slices.Repeat([]Act{{Kind: upnext.Play, Item: "a0"}}, 100)...), func(s *State) bool {
			return weight(s, "a0") == 0.3 && !s.Positive[0].Liked
		}},
		{"newer weighs more", acts(Act{Kind: upnext.Like, Item: "b1"}, Act{Kind: upnext.Like, Item: "a0"}), func(s *State) bool {
			return weight(s, "b1") > weight(s, "a0") && s.Latest[0].Item.Item.ID == "b1" && s.ToTopic["b"] > s.ToTopic["a"]
		}},
		{"the latest of follow and unfollow", acts(
			Act{Kind: upnext.Unfollow, Creator: "c-a"}, Act{Kind: upnext.Follow, Creator: "c-a"}, Act{Kind: upnext.Follow, Creator: "c-b"},
		), func(s *State) bool { return !s.Follows["c-a"] && s.Follows["c-b"] && s.ToCreator["c-b"] > 0 }},
		{"aversions by scope", acts(
			Act{Kind: upnext.Mute, Scope: upnext.ScopeTopic, Topic: "Horror"}, Act{Kind: upnext.Block, Scope: upnext.ScopeCreator, Creator: "c-a"},
			Act{Kind: upnext.NotInterested, Scope: upnext.ScopeItem, Item: "b1"}, Act{Kind: upnext.Report, Item: "c2"},
		), func(s *State) bool {
			return s.Topics["horror"].Kind == upnext.Mute && s.Creators["c-a"].Kind == upnext.Block &&
				s.Items["b1"].Kind == upnext.NotInterested && s.Items["c2"].Kind == upnext.Block && weight(s, "b1") < 0
		}},
		{"a like of a topic that is avoided draws no more", acts(
			Act{Kind: upnext.NotInterested, Scope: upnext.ScopeTopic, Topic: "A"}, Act{Kind: upnext.Like, Item: "a0"}, Act{Kind: upnext.Like, Item: "b1"},
		), func(s *State) bool {
			return len(s.Positive) == 1 && s.Positive[0].Item.Item.ID == "b1" && s.ToTopic["a"] <= 0
		}},
		{"what is not on the shelf is seen all the same", acts(Act{Kind: upnext.Like, Item: "gone"}), func(s *State) bool {
			_, seen := s.Seen["gone"]
			return seen && s.Known && len(s.Positive) == 0
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if s := Fold(tt.acts, sh, set); !tt.check(s) {
				t.Errorf("state is %+v", s)
			}
		})
	}
}

// TestOldAversionsHold: taste is made of the latest, but what was blocked
// stays blocked.
func TestOldAversionsHold(t *testing.T) {
	set := DefaultSettings()
	set.History = 3
	s := Fold(acts(
		Act{Kind: upnext.Play, Item: "a0"}, Act{Kind: upnext.Play, Item: "a0"}, Act{Kind: upnext.Play, Item: "a0"},
		Act{Kind: upnext.Block, Scope: upnext.ScopeCreator, Creator: "c-b"}, Act{Kind: upnext.Like, Item: "c2"},
	), shelfOf("a", "b", "c"), set)
	if _, ok := s.Creators["c-b"]; !ok {
		t.Error("the block is forgotten")
	}
	if _, ok := s.Seen["c2"]; !ok || len(s.Positive) != 1 {
		t.Errorf("seen %v, positive %v; want c2 seen, and taste from the latest three", s.Seen, s.Positive)
	}
}

// TestFresh: a change of an item that was read, or the coming of one that was
// missing, asks for a new state; anything else does not.
func TestFresh(t *testing.T) {
	sh := shelfOf("a", "b")
	put := func(id string, v int64) {
		sh.Apply(upnext.Record{Version: v, Item: upnext.Item{ID: upnext.ItemID(id), Title: "new"}})
	}
	s := Fold(acts(Act{Kind: upnext.Like, Item: "a0"}), sh, DefaultSettings())
	holes := Fold(acts(Act{Kind: upnext.Like, Item: "later"}), sh, DefaultSettings())
	put("b1", 3)
	if !s.Fresh(sh) || !holes.Fresh(sh) {
		t.Error("not fresh after a change elsewhere")
	}
	put("later", 4)
	if !s.Fresh(sh) || holes.Fresh(sh) {
		t.Errorf("after the missing item came: fresh %t, %t; want true, false", s.Fresh(sh), holes.Fresh(sh))
	}
	put("a0", 5)
	if s.Fresh(sh) {
		t.Error("fresh after its item changed")
	}
}

// TestCluster: two tastes are two interests, the greater one first.
func TestCluster(t *testing.T) {
	sh := shelfOf("a", "a", "a", "b", "b", "c")
	set := DefaultSettings()
	s := Fold(acts(
		Act{Kind: upnext.Like, Item: "a0"}, Act{Kind: upnext.Like, Item: "b3"}, Act{Kind: upnext.Like, Item: "a1"},
		Act{Kind: upnext.Like, Item: "a2"}, Act{Kind: upnext.Like, Item: "b4"}, Act{Kind: upnext.Like, Item: "c5"},
	), sh, set)
	vectors := map[upnext.ItemID][]float32{
		"a0": {1, 0, 0.3}, "a1": {1, 0, 0}, "a2": {1, 0, -0.3}, "b3": {0, 1, 0.2}, "b4": {0, 1, -0.2}, // c5 has none
	}
	heads := s.Heads(set)
	rows := make([][]float32, len(heads))
	for i, sig := range heads {
		if v := vectors[sig.Item.Item.ID]; v != nil {
			rows[i] = vec.Unit(v)
		}
	}
	s.Cluster(rows, set)
	if len(s.Interests) != 2 {
		t.Fatalf("%d interests, want 2: %+v", len(s.Interests), s.Interests)
	}
	a, b := s.Interests[0], s.Interests[1]
	if a.Medoid.Item.ID != "a1" || len(a.Members) != 3 || len(b.Members) != 2 || a.Last != noon {
		t.Errorf("the first is %+v, want three of a around a1", a)
	}
	if math.Abs(a.Weight+b.Weight-1) > 1e-9 || a.Weight <= b.Weight {
		t.Errorf("weights %g and %g", a.Weight, b.Weight)
	}
	if n := vec.Dot(a.Vector, a.Vector); math.Abs(float64(n)-1) > 1e-5 {
		t.Errorf("the vector's length is %g", n)
	}
	set.Interests = 1
	if s.Cluster(rows, set); len(s.Interests) != 1 || s.Interests[0].Medoid.Item.ID != "a1" {
		t.Errorf("bounded to one: %+v", s.Interests)
	}
}
