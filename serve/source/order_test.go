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
		var on shelf.Shelf
		var candidates []Candidate
		var leads []lead
		passing := map[*shelf.Item]bool{}
		for i := range rapid.IntRange(0, 60).Draw(rt, "candidates") {
			id := upnext.ItemID(fmt.Sprint("i", i))
			on.Apply(upnext.Record{Version: int64(i + 1), Item: upnext.Item{ID: id}})
			c := Candidate{Item: on.Item(id), Score: float64(rapid.IntRange(0, 8).Draw(rt, "score"))}
			candidates, leads = append(candidates, c), append(leads, lead{ord: c.Item.Ord, score: c.Score})
			passing[c.Item] = rapid.IntRange(0, 2).Draw(rt, "passes") == 0
		}
		leads = append(leads, lead{ord: 1000, score: 9}) // it has left the shelf
		n := rapid.IntRange(0, 12).Draw(rt, "n")
		want := slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool { return !passing[c.Item] })
		slices.SortFunc(want, better)
		want = want[:min(n, len(want))]
		got := Ask{Shelf: &on, Pass: func(it *shelf.Item) bool { return passing[it] }}.bestPassing(leads, n, nobody)
		if !slices.EqualFunc(got, want, func(a, b Candidate) bool { return a.Item == b.Item }) {
			rt.Fatalf("%v, want %v", got, want)
		}
	})
}
