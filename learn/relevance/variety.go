package relevance

import "math"

// Diversity is the mean of 1 − likeness over the pairs of a list (intra-list
// diversity, Ziegler et al. 2005); likeness is 1 for equals and symmetric. A
// list without a pair has 0.
func Diversity(list []int32, likeness func(a, b int32) float64) float64 {
	var sum float64
	for i, a := range list {
		for _, b := range list[:i] {
			sum += 1 - likeness(a, b)
		}
	}
	return share(sum, len(list)*(len(list)-1)/2)
}

// Novelty is the mean of −log₂((takers + 1) / (viewers + 1)) over a list, in
// bits: how surprising the items are, takers[i] of the viewers having taken to
// item i (Zhou et al. 2010; the ones keep an item without takers finite).
func Novelty(list []int32, takers []int, viewers int) float64 {
	var sum float64
	for _, item := range list {
		sum -= math.Log2(float64(takers[item]+1) / float64(viewers+1))
	}
	return share(sum, len(list))
}
