package source

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"upnext"
	"upnext/serve/shelf"
)

// TestBestPassing holds it against putting all in order and asking the guard about
// each, however few pass and however many scores are equal.
func TestBestPassing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		candidates := make([]Candidate, rapid.IntRange(0, 60).Draw(rt, "candidates"))
		passing := map[*shelf.Item]bool{}
		for i := range candidates {
			it := &shelf.Item{Record: upnext.Record{Item: upnext.Item{ID: upnext.ItemID(fmt.Sprint("i", i))}}}
			candidates[i] = Candidate{Item: it, Score: float64(rapid.IntRange(0, 8).Draw(rt, "score"))}
			passing[it] = rapid.IntRange(0, 2).Draw(rt, "passes") == 0
		}
		n := rapid.IntRange(0, 12).Draw(rt, "n")
		want := slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool { return !passing[c.Item] })
		slices.SortFunc(want, better)
		want = want[:min(n, len(want))]
		got := Ask{Pass: func(it *shelf.Item) bool { return passing[it] }}.bestPassing(candidates, n)
		if !slices.EqualFunc(got, want, func(a, b Candidate) bool { return a.Item == b.Item }) {
			rt.Fatalf("%v, want %v", got, want)
		}
	})
}
