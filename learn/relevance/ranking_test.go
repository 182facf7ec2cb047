package relevance

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plain is what a list without ties gets, by the definitions.
func plain(relevant []bool, total, k int) map[string]float64 {
	m := map[string]float64{}
	var hits, gain, best, precisions float64
	for p := range min(k, len(relevant)) {
		if !relevant[p] {
			continue
		}
		if hits == 0 {
			m["rr"], m["hr"] = 1/float64(p+1), 1
		}
		hits++
		precisions += hits / float64(p+1)
		gain += 1 / math.Log2(float64(p+2))
	}
	for p := range min(k, total) {
		best += 1 / math.Log2(float64(p+2))
	}
	precision, recall := hits/float64(k), hits/float64(total)
	m["recall"], m["capped"], m["precision"] = recall, hits/float64(min(k, total)), precision
	if hits > 0 {
		m["f1"] = 2 * precision * recall / (precision + recall)
	}
	n, called := float64(len(relevant)), float64(min(k, len(relevant)))
	m["accuracy"] = (hits + (n - called - (float64(total) - hits))) / n
	m["ndcg"], m["ap"] = gain/best, precisions/float64(min(k, total))
	return m
}

func measured(r Ranking, k int) map[string]float64 {
	return map[string]float64{"hr": r.HR(k), "recall": r.Recall(k), "capped": r.CappedRecall(k), "precision": r.Precision(k),
		"f1": r.F1(k), "accuracy": r.Accuracy(k), "ndcg": r.NDCG(k), "rr": r.RR(k), "ap": r.AP(k)}
}

// permute calls visit with every order of list[at:].
func permute(list []bool, at int, visit func()) {
	if at == len(list) {
		visit()
		return
	}
	for i := at; i < len(list); i++ {
		list[at], list[i] = list[i], list[at]
		permute(list, at+1, visit)
		list[at], list[i] = list[i], list[at]
	}
}

// TestTies holds every measure against the mean over all orders of the tied.
func TestTies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Ranking{}
		orders := [][]bool{nil} // all equally likely
		for i := range rapid.IntRange(1, 3).Draw(t, "runs") {
			size := rapid.IntRange(1, 4).Draw(t, "size")
			run := make([]bool, size)
			relevant := rapid.IntRange(0, size).Draw(t, "relevant")
			if i == 0 {
				relevant = max(1, relevant)
			}
			for j := range relevant {
				run[j] = true
			}
			if relevant > 0 {
				r.Runs = append(r.Runs, Run{r.Candidates, size, relevant})
			}
			r.Candidates, r.Relevant = r.Candidates+size, r.Relevant+relevant
			var longer [][]bool
			permute(run, 0, func() {
				for _, o := range orders {
					longer = append(longer, slices.Concat(o, run))
				}
			})
			orders = longer
		}
		k := rapid.IntRange(1, r.Candidates+1).Draw(t, "k")
		want := map[string]float64{}
		for _, o := range orders {
			for name, v := range plain(o, r.Relevant, k) {
				want[name] += v / float64(len(orders))
			}
		}
		for name, got := range measured(r, k) {
			if math.Abs(got-want[name]) > 1e-9 {
				t.Errorf("%s at %d of %+v: got %v, want %v", name, k, r, got, want[name])
			}
		}
	})
}

// A list by hand, and one of which nothing is known.
func TestRanking(t *testing.T) {
	r := Ranked([]string{"a", "b", "b", "c", "d"}, []string{"b", "d", "z", "z"})
	if r.Candidates != 4 || r.Relevant != 3 {
		t.Fatalf("got %+v, want 4 candidates and 3 relevant", r)
	}
	tests := map[string]float64{"hr": 1, "recall": 1. / 3, "capped": .5, "precision": .5, "f1": .4, "accuracy": .25, "rr": .5, "ap": .25,
		"ndcg": (1 / math.Log2(3)) / (1 + 1/math.Log2(3))}
	for name, got := range measured(r, 2) {
		if want := tests[name]; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for name, got := range measured(Ranking{Relevant: 1}, 10) {
		if got != 0 {
			t.Errorf("%s of no answer: got %v, want 0", name, got)
		}
	}
}

func TestExposure(t *testing.T) {
	tests := []struct {
		of                      Exposure
		coverage, gini, entropy float64
	}{
		{Exposure{5, 5, 5, 5}, 1, 0, 1},
		{Exposure{0, 0, 0, 8}, .25, .75, 0},
		{Exposure{1, 3}, 1, .25, .25*2 + .75*math.Log2(4./3)},
		{Exposure{0, 0}, 0, 0, 0},
		{nil, 0, 0, 0},
	}
	for _, test := range tests {
		got, want := [3]float64{test.of.Coverage(), test.of.Gini(), test.of.Entropy()}, [3]float64{test.coverage, test.gini, test.entropy}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("%v: got %v, want %v", test.of, got, want)
				break
			}
		}
	}
	e := Exposure{0, 0, 0}
	e.Show([]int32{2, 0, 2})
	if want := (Exposure{1, 0, 2}); !slices.Equal(e, want) {
		t.Errorf("Show: got %v, want %v", e, want)
	}
}

func TestVariety(t *testing.T) {
	likeness := func(a, b int32) float64 { return 1 / (1 + math.Abs(float64(a-b))) }
	if got, want := Diversity([]int32{0, 1, 3}, likeness), (.5+.75+2./3)/3; math.Abs(got-want) > 1e-12 {
		t.Errorf("Diversity: got %v, want %v", got, want)
	}
	if got := Diversity([]int32{4}, likeness); got != 0 {
		t.Errorf("Diversity of one: got %v, want 0", got)
	}
	if got, want := Novelty([]int32{0, 1}, []int{0, 3}, 7), 2.0; got != want {
		t.Errorf("Novelty: got %v, want %v", got, want)
	}
	if got := Novelty(nil, nil, 7); got != 0 {
		t.Errorf("Novelty of nothing: got %v, want 0", got)
	}
}

// The interval of a normal mean is near ± 1.96 standard errors.
func TestInterval(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 2000)
	for i := range values {
		values[i] = 3 + random.NormFloat64()
	}
	low, high := Interval(values, 1)
	if got, want := (high-low)/2, 1.96/math.Sqrt(2000); math.Abs(got-want) > want/10 {
		t.Errorf("half width: got %v, want %v", got, want)
	}
	if m := Mean(values); low > m || high < m {
		t.Errorf("got %v to %v around %v", low, high, m)
	}
	if l, h := Interval(values, 1); l != low || h != high {
		t.Errorf("one seed, two intervals: %v to %v and %v to %v", low, high, l, h)
	}
	if l, h := Interval(nil, 1); l != 0 || h != 0 {
		t.Errorf("of nothing: got %v to %v, want 0", l, h)
	}
}
