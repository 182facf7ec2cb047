package bundle

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/collab"
)

// BenchmarkScoreAll is one question of 50 acts to EASE of 4,000 items, with so
// many newcomers of 512 numbers.
func BenchmarkScoreAll(b *testing.B) {
	const items, dim = 4000, 512
	rng := rand.New(rand.NewPCG(1, 1))
	log, ids := learn.Log{Items: items}, make([]upnext.ItemID, items)
	for range 2000 {
		log.Viewers = append(log.Viewers, learn.History{Items: []int32{rng.Int32N(items), rng.Int32N(items), rng.Int32N(items)}})
	}
	for i := range ids {
		ids[i] = upnext.ItemID(fmt.Sprint(i))
	}
	m, err := collab.EASE{}.Fit(b.Context(), log, nil)
	if err != nil {
		b.Fatal(err)
	}
	places := &collab.Places{Width: items, Dim: dim + 1, Map: make([]float32, items*(dim+1))}
	made, err := New(Manifest{Format: Format, Version: "v", Models: []Part{{Name: "ease", Weight: 1}},
		Content: &Content{Collection: "c", Dim: dim, Places: []Placing{{Model: "ease"}}}}, ids, []learn.Model{m}, places)
	if err != nil {
		b.Fatal(err)
	}
	h := learn.History{}
	for range 50 {
		h.Items = append(h.Items, rng.Int32N(items))
	}
	for _, n := range []int{0, 100, 10_000} {
		newIDs, vectors := make([]upnext.ItemID, n), make([][]float32, n)
		for i := range n {
			newIDs[i], vectors[i] = upnext.ItemID(fmt.Sprint("new", i)), make([]float32, dim)
		}
		w := made.With(newIDs, vectors)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			scores := make([]float32, items+n)
			b.ReportAllocs()
			for b.Loop() {
				w.ScoreAll(h, scores)
			}
		})
	}
}
