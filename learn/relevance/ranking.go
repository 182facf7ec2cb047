package relevance

import "math"

// Ranking is where the relevant stand in one ranking of candidates. Candidates
// of equal scores have no order: each measure is its expected value over all
// their orders, each as likely as another, which is a formula and no draw
// (McSherry & Najork 2008, "Computing information retrieval performance measures
// efficiently in the presence of tied scores"). So no model gains by scoring
// everything the same, and none by how items are numbered. Without ties the
// measures are the usual ones. k is 1 or more.
type Ranking struct {
	Candidates int   // that were ranked
	Relevant   int   // among them or not: what is never ranked counts as missed
	Runs       []Run // best first
}

// Run is a run of candidates with one score, some of them relevant.
type Run struct{ Before, Size, Relevant int }

// Ranked is the Ranking of a list without ties; what is listed again is passed
// over.
func Ranked[T comparable](list, relevant []T) Ranking {
	want, seen := map[T]bool{}, map[T]bool{}
	for _, r := range relevant {
		want[r] = true
	}
	r := Ranking{Relevant: len(want)}
	for _, item := range list {
		if seen[item] {
			continue
		}
		seen[item] = true
		if want[item] {
			r.Runs = append(r.Runs, Run{r.Candidates, 1, 1})
		}
		r.Candidates++
	}
	return r
}

// Hits is how many relevant ones are expected among the first k:
// Σ over runs r/m · (places of the run among the first k), where r of its m are
// relevant.
func (r Ranking) Hits(k int) float64 {
	var hits float64
	for _, run := range r.Runs {
		if places := min(k-run.Before, run.Size); places > 0 {
			hits += float64(run.Relevant) * float64(places) / float64(run.Size)
		}
	}
	return hits
}

// HR is the hit rate: 1 where at least one of the first k is relevant. Of a
// first run of m with r relevant and j places among the first k it is
// 1 − C(m−j, r) / C(m, r).
func (r Ranking) HR(k int) float64 {
	if len(r.Runs) == 0 {
		return 0
	}
	run := r.Runs[0]
	places, miss := min(k-run.Before, run.Size), 1.0
	if places <= 0 {
		return 0
	}
	for i := range run.Relevant {
		miss *= float64(max(0, run.Size-places-i)) / float64(run.Size-i)
	}
	return 1 - miss
}

// Recall is Hits(k) / relevant.
func (r Ranking) Recall(k int) float64 { return share(r.Hits(k), r.Relevant) }

// CappedRecall is Hits(k) / min(k, relevant): 1 is in reach where more than k
// are relevant.
func (r Ranking) CappedRecall(k int) float64 { return share(r.Hits(k), min(k, r.Relevant)) }

// Precision is Hits(k) / k, also of a list shorter than k.
func (r Ranking) Precision(k int) float64 { return share(r.Hits(k), k) }

// F1 is the harmonic mean of Precision(k) and Recall(k): 2 · Hits(k) / (k + relevant).
func (r Ranking) F1(k int) float64 { return share(2*r.Hits(k), k+r.Relevant) }

// Accuracy is the share of candidates told rightly when the first k are called
// relevant and the rest not: (hits + candidates − k − (relevant − hits)) /
// candidates. It is near 1 in any large catalogue; HR(1) is what papers on next
// items call accuracy.
func (r Ranking) Accuracy(k int) float64 {
	k = min(k, r.Candidates)
	return share(float64(r.Candidates-k-r.Relevant)+2*r.Hits(k), r.Candidates)
}

// NDCG is Σ over relevant places p ≤ k of 1/log₂(p+1), divided by that of the
// best order: relevant ones first (Järvelin & Kekäläinen 2002, gains of 0 and 1).
func (r Ranking) NDCG(k int) float64 {
	var gain, best float64
	for _, run := range r.Runs {
		each := float64(run.Relevant) / float64(run.Size)
		for p := run.Before; p < min(k, run.Before+run.Size); p++ {
			gain += each * discount(p)
		}
	}
	for p := range min(k, r.Relevant) {
		best += discount(p)
	}
	if best == 0 {
		return 0
	}
	return gain / best
}

// discount is that of the place with p before it.
func discount(p int) float64 { return 1 / math.Log2(float64(p+2)) }

// RR is the reciprocal rank: 1 / place of the first relevant one, 0 where that
// is behind k. Its mean over queries is MRR@k.
func (r Ranking) RR(k int) float64 {
	if len(r.Runs) == 0 {
		return 0
	}
	run := r.Runs[0]
	var sum float64
	none := 1.0 // that no place of the run so far holds a relevant one
	for j := 0; j <= run.Size-run.Relevant && run.Before+j < k; j++ {
		first := none * float64(run.Relevant) / float64(run.Size-j)
		sum += first / float64(run.Before+j+1)
		none -= first
	}
	return sum
}

// AP is the average precision: Σ over relevant places p ≤ k of (hits up to p)/p,
// divided by min(k, relevant). Its mean over queries is MAP@k.
func (r Ranking) AP(k int) float64 {
	var sum float64
	before := 0 // relevant ones in earlier runs
	for _, run := range r.Runs {
		each := float64(run.Relevant) / float64(run.Size)
		for j := 0; j < run.Size && run.Before+j < k; j++ {
			// Given one here, the run's others lie evenly on its other places.
			hits := float64(before + 1)
			if run.Size > 1 {
				hits += float64(j) * float64(run.Relevant-1) / float64(run.Size-1)
			}
			sum += each * hits / float64(run.Before+j+1)
		}
		before += run.Relevant
	}
	return share(sum, min(k, r.Relevant))
}

// share is a/b, and 0 of nothing.
func share(a float64, b int) float64 {
	if b <= 0 {
		return 0
	}
	return a / float64(b)
}
