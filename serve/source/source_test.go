package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/index"
	"upnext/index/flat"
	"upnext/serve/crowd"
	"upnext/serve/shelf"
	"upnext/serve/taste"
	"upnext/serve/vec"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixture has ten items of each of two topics, a and b, by two creators a
// topic; a0 is the newest of a. All pass but those in barred.
func fixture(t *testing.T, barred ...upnext.ItemID) Ask {
	t.Helper()
	c, err := flat.New().Create(t.Context(), upnext.DefaultTenant, "x", index.Spec{Dim: 3})
	if err != nil {
		t.Fatal(err)
	}
	sh := &shelf.Shelf{}
	for k, topic := range []string{"a", "b"} {
		for i := range 10 {
			it := upnext.Item{
				ID: upnext.ItemID(fmt.Sprint(topic, i)), Title: topic + " film", Tags: []string{topic},
				CreatorID: fmt.Sprint("c-", topic, i%2), PublishedAt: noon.Add(-time.Duration(i) * time.Hour),
			}
			sh.Apply(upnext.Record{Version: int64(10*k + i + 1), Item: it})
			v := []float32{float32(1 - k), float32(k), 0.1 * float32(i)}
			if err := c.Upsert(t.Context(), index.Entry{ID: it.ID, Vector: vec.Unit(v)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return Ask{
		Now: noon, Viewer: taste.Fold(nil, sh, taste.DefaultSettings()), Shelf: sh, Crowd: crowd.New(crowd.DefaultSettings()), Index: c,
		Pass: func(it *shelf.Item) bool { return it != nil && !slices.Contains(barred, it.Item.ID) },
	}
}

// likes makes the ask's viewer one who liked these, the first one last.
func (a Ask) likes(t *testing.T, ids ...upnext.ItemID) Ask {
	t.Helper()
	var acts []taste.Act
	for i, id := range ids {
		acts = append(acts, taste.Act{Kind: upnext.Like, Item: id, At: noon.Add(-time.Duration(i) * time.Minute)})
	}
	set := taste.DefaultSettings()
	a.Viewer = taste.Fold(acts, a.Shelf, set)
	heads := a.Viewer.Heads(set)
	of := make([]upnext.ItemID, len(heads))
	for i, sig := range heads {
		of[i] = sig.Item.Item.ID
	}
	vectors, err := a.Index.Vectors(t.Context(), of...)
	if err != nil {
		t.Fatal(err)
	}
	a.Viewer.Cluster(vectors, set)
	return a
}

func recalled(t *testing.T, s Source, ask Ask, n int) (string, []Candidate) {
	t.Helper()
	found, err := s.Recall(t.Context(), ask, n)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = string(c.Item.Item.ID)
		if i > 0 && c.Score > found[i-1].Score {
			t.Errorf("%s: %s scores more than the one before", s.Name(), names[i])
		}
		if slices.Contains(names[:i], names[i]) {
			t.Errorf("%s: %s twice", s.Name(), names[i])
		}
	}
	return strings.Join(names, " "), found
}

// TestTaste: every interest has its share, and From is what it stands on.
func TestTaste(t *testing.T) {
	ask := fixture(t, "a1").likes(t, "a1", "b3")
	names, found := recalled(t, Taste{}, ask, 10)
	if strings.Count(names, "a") < 3 || strings.Count(names, "b") < 3 || strings.Contains(names, "a1") {
		t.Errorf("%s: want some of both interests, without a1", names)
	}
	for _, c := range found {
		if c.From == nil || c.From.Item.ID[0] != c.Item.Item.ID[0] {
			t.Errorf("%s is from %v", c.Item.Item.ID, c.From)
		}
	}
}

// TestLast: near the latest, which leads.
func TestLast(t *testing.T) {
	names, found := recalled(t, Last{}, fixture(t, "b3", "a1").likes(t, "b3", "a1"), 4)
	if names[0] != 'b' || found[0].From.Item.ID != "b3" {
		t.Errorf("%s from %s first; want one of b from b3", names, found[0].From.Item.ID)
	}
	if got, _ := recalled(t, Last{}, fixture(t), 4); got != "" {
		t.Errorf("%s for somebody who has watched nothing", got)
	}
}

// TestCrowds: popular, trending and together, in their order, less what does
// not pass.
func TestCrowds(t *testing.T) {
	ask := fixture(t, "a2")
	for v, ids := range [][]upnext.ItemID{{"a0", "a1", "a2"}, {"a0", "a1"}, {"a0"}} {
		for _, id := range ids {
			at := noon.Add(-time.Hour)
			if id == "a1" {
				at = noon.Add(-40 * 24 * time.Hour) // popular, but not now
			}
			ask.Crowd.Add(upnext.ViewerID{ID: fmt.Sprint(v)}, ask.Shelf.Item(id).Ord, at, noon, "")
		}
	}
	if got, _ := recalled(t, Popular{}, ask, 5); got != "a0 a1" {
		t.Errorf("popular %q, want a0 a1", got)
	}
	if got, _ := recalled(t, Trending{}, ask, 5); got != "a0" {
		t.Errorf("trending %q, want a0", got)
	}
	got, found := recalled(t, Together{}, ask.likes(t, "a1"), 5)
	if got != "a0" || found[0].From.Item.ID != "a1" {
		t.Errorf("together %q from %v, want a0 from a1", got, found)
	}
	ask.Like = []*shelf.Item{ask.Shelf.Item("a0")}
	if got, _ := recalled(t, Together{}, ask.likes(t, "b3"), 5); got != "a1" {
		t.Errorf("together with what similar ones are wanted for %q, want a1", got)
	}
}

// TestNewest: by date, and the followed creators in turn.
func TestNewest(t *testing.T) {
	ask := fixture(t, "a0")
	if got, _ := recalled(t, Fresh{}, ask, 4); got != "b0 a1 b1 a2" {
		t.Errorf("fresh %q, want b0 a1 b1 a2", got)
	}
	ask.Viewer.Follows = map[string]bool{"c-a0": true, "c-b1": true, "c-none": true}
	if got, _ := recalled(t, Followed{}, ask, 5); got != "a2 b1 a4 b3 a6" {
		t.Errorf("followed %q, want a2 b1 a4 b3 a6", got)
	}
	for i := range 400 {
		ask.Shelf.Apply(upnext.Record{Version: int64(100 + i), Item: upnext.Item{ID: upnext.ItemID(fmt.Sprint("z", i)), PublishedAt: noon.Add(time.Hour)}})
	}
	pass := ask.Pass
	ask.Pass = func(it *shelf.Item) bool { return pass(it) && it.Item.ID[0] == 'a' }
	near, _ := recalled(t, Fresh{}, ask, 2)
	ask.Wide = true
	if far, _ := recalled(t, Fresh{}, ask, 2); near != "" || far != "a1 a2" {
		t.Errorf("at first %q, then everywhere %q; want nothing, then a1 a2", near, far)
	}
}

// TestSimilar: away from what is not wanted, by either strategy.
func TestSimilar(t *testing.T) {
	for _, strategy := range []string{"average", "best_score"} {
		ask := fixture(t, "a0", "b0")
		ask.Like, ask.Strategy = ask.Shelf.Items([]upnext.ItemID{"a0", "b0"}), strategy
		var err error
		if ask.Likes, err = ask.Index.Vectors(t.Context(), "a0", "b0"); err != nil {
			t.Fatal(err)
		}
		both, _ := recalled(t, Similar{}, ask, 18)
		if strings.Count(both, "a") < 3 || strings.Count(both, "b") < 3 {
			t.Errorf("%s: %s; want both", strategy, both)
		}
		if ask.Unlikes, err = ask.Index.Vectors(t.Context(), "b1"); err != nil {
			t.Fatal(err)
		}
		if away, _ := recalled(t, Similar{}, ask, 9); strings.Contains(away, "b") {
			t.Errorf("%s: away from b1: %s; want a alone", strategy, away)
		}
	}
	if got := Mean([][]float32{{1, 0}}, [][]float32{{2, 0}}); got != nil {
		t.Errorf("what cancels out has the mean %v", got)
	}
}

// TestSearchSources: by words, by meaning, and by the words of an item that
// has no vector.
func TestSearchSources(t *testing.T) {
	ask := fixture(t)
	ask.Query, ask.Text = "b film", []float32{0, 1, 0}
	if got, _ := recalled(t, Words{}, ask, 3); got != "b0 b1 b2" {
		t.Errorf("words %q", got)
	}
	if got, _ := recalled(t, Meaning{}, ask, 3); got != "b0 b1 b2" {
		t.Errorf("meaning %q", got)
	}
	ask.Query, ask.Like, ask.Likes = "", ask.Shelf.Items([]upnext.ItemID{"a3"}), make([][]float32, 1)
	got, found := recalled(t, Words{}, ask, 3)
	if got != "a0 a1 a2" || found[0].From.Item.ID != "a3" {
		t.Errorf("words of a3 %q", got)
	}
}

// TestFailures: an index that fails is an error, one that is not there is not.
func TestFailures(t *testing.T) {
	ask := fixture(t).likes(t, "a1")
	ask.Like, ask.Likes, ask.Text = ask.Shelf.Items([]upnext.ItemID{"a1"}), [][]float32{{1, 0, 0}}, []float32{1, 0, 0}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []Source{Taste{}, Last{}, Similar{}, Meaning{}} {
		if _, err := s.Recall(ended, ask, 3); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with its time up: %v", s.Name(), err)
		}
		without := ask
		without.Index = nil
		if found, err := s.Recall(t.Context(), without, 3); len(found) > 0 || err != nil {
			t.Errorf("%s without an index: %v, %v", s.Name(), found, err)
		}
	}
}
