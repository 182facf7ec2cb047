package indextest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"upnext"
	"upnext/filter"
	"upnext/index"
	"upnext/index/flat"
)

// testRecall compares a collection that is too large to be searched exactly
// with exact search: recall@10 of .99 without and with filters, also after
// every entry was replaced and a third of them deleted, and k hits wherever k pass.
func testRecall(t *testing.T, open func(t *testing.T) index.Collections, queries int) {
	const dim, n = 96, 24_000
	spec := index.Spec{Dim: dim, Fields: map[string]upnext.AttributeType{"min_age": upnext.Number, "kind": upnext.String}}
	x, exact := made(t, open(t), "main", spec), made(t, flat.New(), "main", spec)
	both := []index.Index{x, exact}
	rng := rand.New(rand.NewPCG(6, 6))
	fill := func(vectors [][]float32) {
		list := entries(vectors)
		for i := range list {
			// The kind goes with the vector, the age with nothing.
			list[i].Fields = upnext.Fields{"min_age": float64(rng.IntN(100)), "kind": []string{"video", "live"}[half(vectors[i])]}
		}
		for part := range slices.Chunk(list, 2000) {
			for _, to := range both {
				put(t, to, part...)
			}
		}
	}
	fill(Vectors(6, n, dim))
	t.Run("filled", func(t *testing.T) { checkRecall(t, x, exact, VectorsOf(6, 7, queries, dim)) })

	fill(VectorsOf(6, 8, n, dim))
	var gone []upnext.ItemID
	for i := 0; i < n; i += 8 {
		gone = append(gone, entryID(i))
	}
	for _, from := range both {
		if err := from.Delete(t.Context(), gone...); err != nil {
			t.Fatalf("delete: %v", err)
		}
	}
	t.Run("replaced and thinned", func(t *testing.T) { checkRecall(t, x, exact, VectorsOf(6, 9, queries, dim)) })
}

// half says on which side of the first coordinate's middle a vector lies.
func half(v []float32) int {
	if v[0] > v[1] {
		return 1
	}
	return 0
}

func checkRecall(t *testing.T, x, exact index.Index, queries [][]float32) {
	t.Helper()
	for _, src := range []string{"", "min_age < 1", "min_age < 10", "min_age < 60", "kind == 'live'"} {
		var f *filter.Filter
		if src != "" {
			f = parsed(t, src)
		}
		for _, ask := range []index.Query{{K: 1}, {K: 10}, {K: 100}, {K: 10, Recall: 0.9}, {K: 100, Recall: 0.9}, {K: 100, Recall: 0.95}} {
			q := index.Query{Vectors: queries, K: ask.K, Filter: f, Recall: ask.Recall}
			got, err := x.Search(t.Context(), q)
			if err != nil {
				t.Fatalf("search: %v", err)
			}
			want, err := exact.Search(t.Context(), q)
			if err != nil {
				t.Fatalf("exact search: %v", err)
			}
			var sum float64
			for i := range want {
				if len(got[i]) != len(want[i]) {
					t.Errorf("filter %q, k %d: %d hits, want %d", src, q.K, len(got[i]), len(want[i]))
				}
				sum += recall(got[i], want[i])
			}
			least := cmp.Or(q.Recall, 0.99)
			if mean := sum / float64(len(want)); mean < least {
				t.Errorf("filter %q: recall@%d is %.4f, want %.2f", src, q.K, mean, least)
			} else {
				t.Logf("filter %q: recall@%d %.4f, asked %.2f", src, q.K, mean, least)
			}
		}
	}
}
