package indextest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/index"
)

func testEntries(t *testing.T, open func(t *testing.T) index.Collections) {
	const dim = 50 // no multiple of what any kernel likes
	vectors := Vectors(1, 40, dim)
	fresh := func(t *testing.T) index.Index {
		return made(t, open(t), "main", index.Spec{Dim: dim})
	}

	t.Run("empty", func(t *testing.T) {
		x := fresh(t)
		if got := search(t, x, vectors[0], 5, nil); len(got) != 0 {
			t.Errorf("an empty collection has hits: %v", got)
		}
		if got := all(t, x); len(got) != 0 {
			t.Errorf("an empty collection has ids: %v", got)
		}
		put(t, x)
		hits, err := x.Search(t.Context(), index.Query{K: 5})
		if err != nil || len(hits) != 0 {
			t.Errorf("search without vectors: got %v, %v, want nothing", hits, err)
		}
	})
	t.Run("found by itself", func(t *testing.T) {
		x := fresh(t)
		put(t, x, entries(vectors)...)
		for i, v := range vectors {
			hits := search(t, x, v, 3, nil)
			if len(hits) != 3 || hits[0].ID != entryID(i) || math.Abs(float64(hits[0].Score)-1) > 1e-3 {
				t.Errorf("neighbours of %s: %v", entryID(i), hits)
			}
			if !slices.IsSortedFunc(hits, func(a, b index.Hit) int { return int((b.Score - a.Score) * 1e9) }) {
				t.Errorf("not best first: %v", hits)
			}
		}
		if got := search(t, x, vectors[0], 1000, nil); len(got) != len(vectors) {
			t.Errorf("k above all: got %d hits, want %d", len(got), len(vectors))
		}
	})
	t.Run("replaced and deleted", func(t *testing.T) {
		x := fresh(t)
		put(t, x, entries(vectors)...)
		put(t, x, index.Entry{ID: entryID(0), Vector: vectors[1]}, index.Entry{ID: entryID(1), Vector: vectors[0]})
		if got := search(t, x, vectors[0], 1, nil); got[0].ID != entryID(1) {
			t.Errorf("after two changed places: got %v, want %s", got, entryID(1))
		}
		put(t, x, index.Entry{ID: "twice", Vector: vectors[3]}, index.Entry{ID: "twice", Vector: vectors[2]})
		if got := vectorsOf(t, x, "twice"); !slices.Equal(got[0], vectors[2]) {
			t.Errorf("an id twice in one call: the last does not win")
		}
		if err := x.Delete(t.Context(), entryID(1), "absent", "twice"); err != nil {
			t.Fatalf("delete: %v", err)
		}
		if got := search(t, x, vectors[0], 40, nil); slices.Contains(ids(got), entryID(1)) || len(got) != 39 {
			t.Errorf("after a delete: %d hits, want 39 without %s", len(got), entryID(1))
		}
		if got := all(t, x); len(got) != 39 || got[entryID(1)] != 0 {
			t.Errorf("after a delete All has %d ids, want 39", len(got))
		}
		put(t, x, index.Entry{ID: "new", Vector: vectors[0]})
		if got := all(t, x); len(got) != 40 || got["new"] != 1 {
			t.Errorf("after one more All has %d ids, want 40 with the new one once", len(got))
		}
	})
	t.Run("vectors", func(t *testing.T) {
		x := fresh(t)
		put(t, x, entries(vectors)...)
		got := vectorsOf(t, x, entryID(7), "absent", entryID(3))
		if got[1] != nil {
			t.Errorf("the vector of an absent id is %v, want nil", got[1])
		}
		for i, want := range map[int][]float32{0: vectors[7], 2: vectors[3]} {
			if !slices.EqualFunc(got[i], want, func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-6 }) {
				t.Errorf("vector %d: got %v, want %v", i, got[i], want)
			}
		}
		put(t, x, index.Entry{ID: entryID(7), Vector: vectors[8]})
		if !slices.Equal(got[0], vectors[7]) {
			t.Errorf("a vector that was handed out changed with an upsert")
		}
	})
	t.Run("ties go to the smaller id", func(t *testing.T) {
		x := fresh(t)
		for _, id := range []upnext.ItemID{"d", "b", "e", "a", "c"} {
			put(t, x, index.Entry{ID: id, Vector: vectors[0]})
		}
		put(t, x, entries(vectors[1:])...)
		if got, want := ids(search(t, x, vectors[0], 3, nil)), []upnext.ItemID{"a", "b", "c"}; !slices.Equal(got, want) {
			t.Errorf("five equal vectors: got %v, want %v", got, want)
		}
	})
	t.Run("several vectors", func(t *testing.T) {
		x := fresh(t)
		put(t, x, entries(vectors)...)
		together, err := x.Search(t.Context(), index.Query{Vectors: vectors[:9], K: 4})
		if err != nil || len(together) != 9 {
			t.Fatalf("9 vectors: %d answers, %v", len(together), err)
		}
		for i, v := range vectors[:9] {
			if err := sameHits(together[i], search(t, x, v, 4, nil)); err != nil {
				t.Errorf("vector %d of 9 against itself alone: %v", i, err)
			}
		}
	})
	t.Run("refused", func(t *testing.T) { testRefused(t, fresh(t), vectors, dim) })
}

func testRefused(t *testing.T, x index.Index, vectors [][]float32, dim int) {
	nan := slices.Clone(vectors[0])
	nan[dim/2] = float32(math.NaN())
	long := slices.Clone(vectors[0])
	for i := range long {
		long[i] *= 1.01
	}
	for what, bad := range map[string]index.Entry{
		"too short": {ID: "culprit", Vector: vectors[0][1:]},
		"none":      {ID: "culprit"},
		"NaN":       {ID: "culprit", Vector: nan},
		"not unit":  {ID: "culprit", Vector: long},
		"zero":      {ID: "culprit", Vector: make([]float32, dim)},
	} {
		err := x.Upsert(t.Context(), index.Entry{ID: "fine", Vector: vectors[0]}, bad, index.Entry{ID: "fine too", Vector: vectors[1]})
		is(t, what, err, upnext.ErrInvalid)
		if err != nil && !strings.Contains(err.Error(), "culprit") {
			t.Errorf("%s: the error does not name the entry: %v", what, err)
		}
	}
	is(t, "no id", x.Upsert(t.Context(), index.Entry{Vector: vectors[0]}), upnext.ErrInvalid)
	if got := all(t, x); len(got) != 0 {
		t.Errorf("of refused calls something was kept: %v", got)
	}
	for what, q := range map[string]index.Query{
		"query too long": {Vectors: [][]float32{append(slices.Clone(vectors[0]), 0)}, K: 1},
		"query with NaN": {Vectors: [][]float32{nan}, K: 1},
		"k of 0":         {Vectors: vectors[:1], K: 0},
		"k below 0":      {Vectors: vectors[:1], K: -1},
	} {
		_, err := x.Search(t.Context(), q)
		is(t, what, err, upnext.ErrInvalid)
	}
}

// vectorsOf asks for vectors that must be answered.
func vectorsOf(t *testing.T, x index.Index, ids ...upnext.ItemID) [][]float32 {
	t.Helper()
	got, err := x.Vectors(t.Context(), ids...)
	if err != nil || len(got) != len(ids) {
		t.Fatalf("vectors of %v: %d of them, %v", ids, len(got), err)
	}
	checkProducts(t, x, got, ids)
	c, ok := x.(index.Copier)
	if !ok {
		return got
	}
	room := make([]float32, 7)
	for range 2 { // in new room, then in the same again
		var copies [][]float32
		if copies, room, err = c.CopyVectors(t.Context(), room, ids...); err != nil || !slices.EqualFunc(copies, got, slices.Equal[[]float32]) {
			t.Fatalf("copies of the vectors of %v: got %v, %v, want %v", ids, copies, err, got)
		}
	}
	return got
}

// checkProducts holds an engine that multiplies where the vectors lie against the
// vectors that it gives.
func checkProducts(t *testing.T, x index.Index, vectors [][]float32, ids []upnext.ItemID) {
	t.Helper()
	s, ok := x.(index.Scorer)
	if !ok {
		return
	}
	var queries [][]float32
	for _, v := range vectors {
		if v != nil && len(queries) < 3 {
			queries = append(queries, v)
		}
	}
	products, err := s.Products(t.Context(), queries, ids...)
	if err != nil || len(products) != len(queries) {
		t.Fatalf("products of %d queries: %d of them, %v", len(queries), len(products), err)
	}
	for i, q := range queries {
		for j, v := range vectors {
			got := float64(products[i][j])
			if v == nil {
				if !math.IsNaN(got) {
					t.Errorf("the product with the absent %s is %v", ids[j], got)
				}
				continue
			}
			want := 0.0
			for k := range v {
				want += float64(q[k]) * float64(v[k])
			}
			if !(math.Abs(got-want) < 0.02) {
				t.Errorf("the product with %s is %v, want %v", ids[j], got, want)
			}
		}
	}
	if len(vectors) > 0 {
		if _, err := s.Products(t.Context(), [][]float32{{1, 2, 3, 4, 5, 6, 7}}, ids...); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("a query of seven components: %v, want ErrInvalid", err)
		}
	}
}
