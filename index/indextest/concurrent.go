package indextest

import (
	"math/rand/v2"
	"sync"
	"testing"

	"upnext"
	"upnext/index"
)

// testConcurrent lets writers and readers at one collection. Every writer has
// ids and a place in space of its own, so that readers can tell what may be seen.
func testConcurrent(t *testing.T, open func(t *testing.T) index.Collections, rounds int) {
	const dim, writers, own = 40, 4, 25
	x := made(t, open(t), "main", index.Spec{Dim: dim, Fields: fieldsSpec})
	vectors := Vectors(11, writers*own, dim)
	list := entries(vectors)
	f := parsed(t, "min_age >= 0 or min_age == nil")
	var working sync.WaitGroup
	for w := range writers {
		mine := list[w*own : (w+1)*own]
		working.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 12))
			for range rounds {
				part := append([]index.Entry(nil), mine[rng.IntN(own):]...)
				for i := range part {
					part[i].Fields = fields(rng)
				}
				if err := x.Upsert(t.Context(), part...); err != nil {
					t.Errorf("upsert: %v", err)
				}
				hits, err := x.Search(t.Context(), index.Query{Vectors: [][]float32{part[0].Vector}, K: 1})
				if err != nil || len(hits[0]) != 1 || hits[0][0].ID != part[0].ID {
					t.Errorf("search after an upsert of %s: %v, %v", part[0].ID, hits, err)
				}
				if err := x.Delete(t.Context(), part[0].ID); err != nil {
					t.Errorf("delete: %v", err)
				}
			}
			if err := x.Upsert(t.Context(), mine...); err != nil {
				t.Errorf("upsert: %v", err)
			}
		})
		working.Go(func() {
			for range rounds * 3 {
				hits, err := x.Search(t.Context(), index.Query{Vectors: vectors[:3], K: 20, Filter: f})
				if err != nil {
					t.Errorf("search: %v", err)
				}
				for _, of := range hits {
					checkDistinct(t, of)
				}
				if _, err := x.Vectors(t.Context(), list[w].ID, list[w+1].ID); err != nil {
					t.Errorf("vectors: %v", err)
				}
				for _, err := range x.All(t.Context()) {
					if err != nil {
						t.Errorf("all: %v", err)
					}
				}
			}
		})
	}
	working.Wait()
	if got := all(t, x); len(got) != len(list) {
		t.Errorf("after all writers: %d ids, want %d", len(got), len(list))
	}
}

func checkDistinct(t *testing.T, hits []index.Hit) {
	seen := map[upnext.ItemID]bool{}
	for i, h := range hits {
		if seen[h.ID] {
			t.Errorf("%s is twice among the hits", h.ID)
		}
		seen[h.ID] = true
		if i > 0 && hits[i-1].Score < h.Score {
			t.Errorf("hits are not best first: %v", hits)
		}
	}
}
