package ranking_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/ranking"
	"upnext/learn/relevance"
	"upnext/learn/split"
)

// fixed is a model that gives every history the same scores.
type fixed []float32

func (f fixed) Name() string                { return "fixed" }
func (f fixed) Items() int                  { return len(f) }
func (f fixed) Artefact() artefact.Artefact { return artefact.Artefact{} }
func (f fixed) Score(h learn.History, scores []float32) bool {
	copy(scores, f)
	return len(h.Items) > 0
}

func TestRank(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	cases := []split.Case{
		{History: learn.History{Items: []int32{0, 0}}, Targets: []int32{3}},                               // 1 before, tied with 2 and 4
		{History: learn.History{Items: []int32{1, 2}}, Seen: []int32{4, 2}, Targets: []int32{3, 5, 3, 2}}, // 2 is seen: missed
		{Targets: []int32{1}},
	}
	got, err := ranking.Rank(t.Context(), fixed{9, 8, 5, 5, 5, 1}, cases, 3, nil)
	want := []ranking.Answer{
		{Ranking: relevance.Ranking{Candidates: 5, Relevant: 1, Runs: []relevance.Run{{Before: 1, Size: 3, Relevant: 1}}}, List: []int32{1, 2, 3}},
		{Ranking: relevance.Ranking{Candidates: 3, Relevant: 3, Runs: []relevance.Run{{Before: 1, Size: 1, Relevant: 1}, {Before: 2, Size: 1, Relevant: 1}}}, List: []int32{0, 3, 5}},
		{Ranking: relevance.Ranking{Relevant: 1}, Silent: true},
	}
	if err != nil || !reflect.DeepEqual(got.Answers, want) {
		t.Errorf("got %+v, %v, want %+v", got.Answers, err, want)
	}
	for _, bad := range []float32{nan, inf, -inf} {
		_, err := ranking.Rank(t.Context(), fixed{1, bad}, cases[:1], 3, nil)
		if !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "item 1") {
			t.Errorf("a score of %v: got %v, want ErrInvalid that names item 1", bad, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ranking.Rank(ctx, fixed{1, 2}, cases, 3, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// Runs and Best are held against sorting.
// TestBestOfMany: a sample of the scores says where to look, and never what is best.
func TestBestOfMany(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, values := range []int{1, 2, 50, 1 << 30} {
		scores := make([]float32, 20_000)
		order := make([]int32, len(scores))
		for i := range scores {
			scores[i], order[i] = float32(rng.IntN(values)), int32(i)
		}
		slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(scores[b], scores[a]) })
		for _, k := range []int{1, 10, 300, 2500, math.MaxInt} {
			if got := ranking.Best(scores, k); !slices.Equal(got, order[:min(k, len(order))]) {
				t.Errorf("of %d values: best %d are %v, want %v", values, k, got, order[:k])
			}
		}
	}
}

func TestAgainstSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "n")
		scores := make([]float32, n)
		order := make([]int32, n)
		for i := range scores {
			scores[i], order[i] = float32(rapid.IntRange(0, 6).Draw(t, "score")), int32(i)
		}
		slices.SortStableFunc(order, func(a, b int32) int { return int(scores[b] - scores[a]) })
		k := rapid.IntRange(0, n+2).Draw(t, "k")
		if got, want := ranking.Best(scores, k), order[:min(k, n)]; !slices.Equal(got, want) {
			t.Fatalf("best %d of %v: got %v, want %v", k, scores, got, want)
		}
		targets := order[:rapid.IntRange(1, n).Draw(t, "targets")]
		if rapid.Bool().Draw(t, "from the end") {
			targets = order[n-len(targets):]
		}
		var want []relevance.Run
		for i := 0; i < n; {
			run := relevance.Run{Before: i}
			for ; i < n && scores[order[i]] == scores[order[run.Before]]; i++ {
				run.Size++
				if slices.Contains(targets, order[i]) {
					run.Relevant++
				}
			}
			if run.Relevant > 0 {
				want = append(want, run)
			}
		}
		if got := ranking.Runs(scores, targets); !slices.Equal(got, want) {
			t.Fatalf("runs of %v in %v: got %v, want %v", targets, scores, got, want)
		}
	})
}

func TestSegments(t *testing.T) {
	of := func(n int) learn.History { return learn.History{Items: make([]int32, n)} }
	cases := []split.Case{{History: of(9)}, {History: of(2)}, {History: of(7)}, {History: of(2)}, {History: of(5)}}
	if got, want := ranking.ColdViewers(cases).In, []bool{false, true, false, true, false}; !slices.Equal(got, want) {
		t.Errorf("cold viewers: got %v, want %v", got, want)
	}
	// Item 0 has 8 of the 10 acts, 1 and 2 one each: a fifth, together with 3.
	log := learn.Log{Items: 4, Viewers: []learn.History{of(8), {Items: []int32{1, 2}}}}
	tail := ranking.LongTail([]split.Case{{Targets: []int32{0}}, {Targets: []int32{2}}, {Targets: []int32{0, 3}}, {Targets: []int32{1, 3, 0}}}, log)
	if want := []bool{false, true, false, true}; !slices.Equal(tail.In, want) {
		t.Errorf("long tail: got %v, want %v", tail.In, want)
	}
	if got, want := tail.Of([]float64{1, 2, 3, 4}), []float64{2, 4}; !slices.Equal(got, want) {
		t.Errorf("of: got %v, want %v", got, want)
	}
	if got := ranking.ColdViewers(nil).In; len(got) != 0 {
		t.Errorf("of no cases: got %v", got)
	}
}

func TestTakers(t *testing.T) {
	takers := ranking.TakersOf(learn.Log{Items: 4, Viewers: []learn.History{{Items: []int32{0, 1, 0}}, {Items: []int32{1}}, {Items: []int32{2, 1, 0}}}})
	if got, want := takers.Counts(), []int{2, 3, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("counts: got %v, want %v", got, want)
	}
	for _, test := range []struct {
		a, b int32
		want float64
	}{{0, 1, 2 / math.Sqrt(6)}, {1, 0, 2 / math.Sqrt(6)}, {0, 0, 1}, {2, 0, 1 / math.Sqrt(2)}, {1, 3, 0}} {
		if got := takers.Likeness(test.a, test.b); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("likeness of %d and %d: got %v, want %v", test.a, test.b, got, test.want)
		}
	}
}
