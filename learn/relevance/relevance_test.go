package relevance

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRecall(t *testing.T) {
	tests := []struct {
		ranked, relevant []int
		k                int
		want             float64
	}{
		{[]int{1, 2, 3}, []int{2, 9}, 10, .5},
		{[]int{1, 2, 3}, []int{3}, 2, 0},
		{[]int{1, 2, 3}, []int{3, 1}, 3, 1},
		{[]int{1, 1, 1}, []int{1, 2}, 3, .5},
		{[]int{1}, []int{1, 1}, 1, 1},
		{nil, []int{1}, 5, 0},
		{[]int{1}, nil, 5, 0},
	}
	for _, test := range tests {
		if got := Recall(test.ranked, test.relevant, test.k); got != test.want {
			t.Errorf("Recall(%v, %v, %d): got %v, want %v", test.ranked, test.relevant, test.k, got, test.want)
		}
	}
}

func TestRecallGrowsWithK(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ints := rapid.SliceOf(rapid.IntRange(0, 9))
		ranked, relevant := ints.Draw(t, "ranked"), ints.Draw(t, "relevant")
		before := 0.0
		for k := range len(ranked) + 2 {
			got := Recall(ranked, relevant, k)
			if got < before || got > 1 {
				t.Fatalf("Recall(%v, %v, %d) is %v after %v", ranked, relevant, k, got, before)
			}
			before = got
		}
	})
}

func TestLabels(t *testing.T) {
	truth := [][]string{{"a"}, {"a", "b"}, {"b"}, {"c"}, {"a"}}
	given := [][]string{{"a"}, {"a"}, {"a", "b"}, {}, {"z"}}
	counts := Count(truth, given, []string{"a", "b", "c"})
	want := map[string]Counts{"a": {2, 1, 1}, "b": {1, 0, 1}, "c": {0, 0, 1}}
	if !reflect.DeepEqual(counts, want) {
		t.Fatalf("Count: got %v, want %v", counts, want)
	}
	// By hand: a 4/6, b 2/3, c 0.
	if got, want := MacroF1(counts), (4.0/6+2.0/3)/3; math.Abs(got-want) > 1e-12 {
		t.Errorf("MacroF1: got %v, want %v", got, want)
	}
	sum := Sum(counts)
	if got, want := sum, (Counts{3, 1, 3}); got != want {
		t.Errorf("Sum: got %v, want %v", got, want)
	}
	if sum.Precision() != .75 || sum.Recall() != .5 {
		t.Errorf("got precision %v and recall %v, want .75 and .5", sum.Precision(), sum.Recall())
	}
	if got, want := Frequent(truth, 2), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("Frequent: got %v, want %v", got, want)
	}
	if got := Majority(truth); len(got) != 5 || !slices.Equal(got[3], []string{"a"}) {
		t.Errorf("Majority: got %v, want a for all", got)
	}
	if got := Majority([][]string{nil}); got[0] != nil {
		t.Errorf("Majority of nothing: got %v, want nil", got)
	}
	if got := MacroF1(nil); got != 0 {
		t.Errorf("MacroF1 of nothing: got %v, want 0", got)
	}
}

// TestF1 holds F1 against its definition by precision and recall.
func TestF1(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 20)
		c := Counts{n.Draw(t, "right"), n.Draw(t, "wrong"), n.Draw(t, "missed")}
		want := 0.0
		if p, r := c.Precision(), c.Recall(); p+r > 0 {
			want = 2 * p * r / (p + r)
		}
		if got := c.F1(); math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v: got F1 %v, want %v", c, got, want)
		}
	})
}
