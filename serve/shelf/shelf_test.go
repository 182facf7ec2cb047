package shelf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func record(id string, v int64, title string, tags ...string) upnext.Record {
	return upnext.Record{Version: v, Item: upnext.Item{ID: upnext.ItemID(id), Title: title, Tags: tags}}
}

// TestApply holds the shelf against a plain map under any changes.
func TestApply(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s Shelf
		want := map[upnext.ItemID]upnext.Item{}
		for v := range rapid.IntRange(1, 40).Draw(rt, "changes") {
			r := record(fmt.Sprint("i", rapid.IntRange(0, 9).Draw(rt, "id")), int64(v+1), rapid.SampledFrom([]string{"red", "blue", "green"}).Draw(rt, "title"))
			r.Item.CreatorID = rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "creator")
			if d := rapid.IntRange(0, 5).Draw(rt, "published"); d > 0 {
				r.Item.PublishedAt = time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC)
			}
			r.Deleted = rapid.IntRange(0, 3).Draw(rt, "deleted") == 0
			before := s.Newest()
			kept := slices.Clone(before)
			s.Apply(r)
			if !slices.Equal(before, kept) {
				rt.Fatal("a list in a reader's hands has changed")
			}
			if want[r.Item.ID] = r.Item; r.Deleted {
				delete(want, r.Item.ID)
			}
			compare(rt, &s, want)
			if s.Version() != int64(v+1) {
				rt.Fatalf("version %d, want %d", s.Version(), v+1)
			}
		}
	})
}

func compare(rt *rapid.T, s *Shelf, want map[upnext.ItemID]upnext.Item) {
	if s.Len() != len(want) || len(s.Newest()) != len(want) {
		rt.Fatalf("%d items, %d by date; want %d", s.Len(), len(s.Newest()), len(want))
	}
	byTitle, byCreator := map[string]int{}, map[string]int{}
	for id, it := range want {
		got := s.Item(id)
		if got == nil || got.Item.Title != it.Title || !got.Item.PublishedAt.Equal(it.PublishedAt) {
			rt.Fatalf("%s is %+v, want %+v", id, got, it)
		}
		if on := s.ByOrd(nil, got.Ord); len(on) != 1 || on[0] != got {
			rt.Fatalf("%s is not at its number", id)
		}
		byTitle[it.Title]++
		byCreator[it.CreatorID]++
	}
	if !slices.IsSortedFunc(s.Newest(), func(a, b *Item) int {
		return cmp.Or(b.Item.PublishedAt.Compare(a.Item.PublishedAt), strings.Compare(string(a.Item.ID), string(b.Item.ID)))
	}) {
		rt.Fatal("not in the order of dates")
	}
	for _, title := range []string{"red", "blue", "green"} {
		if got := len(s.Find(title, 100, func(*Item) bool { return true })); got != byTitle[title] {
			rt.Fatalf("%s finds %d, want %d", title, got, byTitle[title])
		}
	}
	for _, c := range []string{"x", "y"} {
		if got := len(s.By(c)); got != byCreator[c] {
			rt.Fatalf("%d by %s, want %d", got, c, byCreator[c])
		}
	}
}

// TestWords: what a search sees of a text.
func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"The Don't-Panic Guide 42": {"the", "dont", "panic", "guide", "42"},
		"深夜火锅 2号":                  {"深", "夜", "深夜", "火", "夜火", "锅", "火锅", "2", "号"},
		"Café!":                    {"café"},
		" — ":                      nil,
	} {
		if got := Words(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestFind: rare words and whole titles lead; what does not pass is left out.
func TestFind(t *testing.T) {
	var s Shelf
	s.Apply(
		record("a", 1, "How to cook rice", "cooking"), record("b", 2, "How to cook beans", "cooking"), record("c", 3, "Rice, a history", "history"),
		record("d", 4, "Beans on the moon"), record("e", 5, "Something else", "rice"),
	)
	found := func(text string, n int, pass func(*Item) bool) string {
		var ids []string
		for _, m := range s.Find(text, n, pass) {
			if m.Score <= 0 || m.Score > 1 {
				t.Errorf("%q: %s scores %g", text, m.Item.Item.ID, m.Score)
			}
			ids = append(ids, string(m.Item.Item.ID))
		}
		return strings.Join(ids, " ")
	}
	all := func(*Item) bool { return true }
	for _, tt := range []struct{ text, want string }{
		{"cook rice", "a b c e"}, {"RICE", "a c e"}, {"moon", "d"}, {"nothing", ""}, {"", ""}, {"how to cook beans", "b a d"},
	} {
		if got := found(tt.text, 10, all); got != tt.want {
			t.Errorf("%q finds %q, want %q", tt.text, got, tt.want)
		}
	}
	if got := found("rice", 1, func(it *Item) bool { return it.Item.ID != "a" }); got != "c" {
		t.Errorf("one that is not a: %q, want c", got)
	}
}

// TestTopics: believed topics and tags, in any case, each once.
func TestTopics(t *testing.T) {
	r := record("a", 1, "x", "Sci-Fi", "cooking")
	r.Understanding.Topics = []upnext.Label{{Value: "Cooking"}, {Value: "space"}}
	r.Item.Description, r.Item.Transcript, r.Item.Comments = "long", "longer", []string{"very"}
	var s Shelf
	s.Apply(r)
	it := s.Item("a")
	if want := []string{"cooking", "space", "sci-fi"}; !slices.Equal(it.Topics, want) {
		t.Errorf("topics %q, want %q", it.Topics, want)
	}
	if !it.About("SPACE") || it.About("chess") {
		t.Error("About does not look at topics alone, in any case")
	}
	if it.Item.Description+it.Item.Transcript != "" || it.Item.Comments != nil {
		t.Error("long text is held")
	}
}
