package indextest

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"upnext"
	"upnext/index"
	"upnext/index/flat"
)

// testSameAsExact lets rapid choose any sequence of upserts, deletes and
// searches on a small collection: each answer is that of exact search. The
// collection is one, emptied between the sequences: to make one takes some
// engines seconds, and what deletes leave behind is tested too.
func testSameAsExact(t *testing.T, open func(t *testing.T) index.Collections, runs int) {
	const dim = 16
	spec := index.Spec{Dim: dim, Fields: fieldsSpec}
	x := made(t, open(t), "main", spec)
	everyID := make([]upnext.ItemID, 31)
	for i := range everyID {
		everyID[i] = entryID(i)
	}
	run := 0
	vectors := Vectors(5, 60, dim)
	copy(vectors[50:], vectors[:10]) // some vectors are equal
	rapid.Check(t, func(rt *rapid.T) {
		if run++; run > runs && !t.Failed() {
			return
		}
		if err := x.Delete(t.Context(), everyID...); err != nil {
			rt.Fatalf("empty: %v", err)
		}
		exact := made(t, flat.New(), "main", spec)
		both := []index.Index{x, exact}
		rt.Repeat(map[string]func(*rapid.T){
			"upsert": func(rt *rapid.T) {
				list := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) index.Entry {
					rng := rand.New(rand.NewPCG(rapid.Uint64Max(50).Draw(rt, "fields"), 7))
					return index.Entry{
						ID:     entryID(rapid.IntRange(0, 30).Draw(rt, "id")),
						Vector: vectors[rapid.IntRange(0, len(vectors)-1).Draw(rt, "vector")],
						Fields: fields(rng),
					}
				}), 0, 8).Draw(rt, "entries")
				for _, to := range both {
					if err := to.Upsert(t.Context(), list...); err != nil {
						rt.Fatalf("upsert: %v", err)
					}
				}
			},
			"delete": func(rt *rapid.T) {
				i := rapid.SliceOfN(rapid.IntRange(0, 30), 0, 4).Draw(rt, "ids")
				list := make([]upnext.ItemID, len(i))
				for j := range i {
					list[j] = entryID(i[j])
				}
				for _, to := range both {
					if err := to.Delete(t.Context(), list...); err != nil {
						rt.Fatalf("delete: %v", err)
					}
				}
			},
			"search": func(rt *rapid.T) {
				q := index.Query{Vectors: [][]float32{rapid.SampledFrom(vectors).Draw(rt, "vector")}, K: rapid.IntRange(1, 40).Draw(rt, "k"), Vars: vars}
				if e := rapid.SampledFrom(expressions).Draw(rt, "filter"); e.exact {
					q.Filter = parsed(t, e.src)
				}
				answers := make([][][]index.Hit, 2)
				for i, of := range both {
					var err error
					if answers[i], err = of.Search(t.Context(), q); err != nil {
						rt.Fatalf("search: %v", err)
					}
				}
				if err := sameHits(answers[0][0], answers[1][0]); err != nil {
					rt.Fatalf("k %d: %v", q.K, err)
				}
			},
		})
	})
}
