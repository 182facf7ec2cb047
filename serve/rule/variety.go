package rule

import (
	"upnext/learn/relevance"
)

// Variety is how varied one answer is; each is 0 for an empty one.
type Variety struct {
	Diversity float64 // mean unlikeness of its pairs, 0 to 1 (Ziegler et al. 2005)
	Coverage  float64 // topics on the page, of those that the candidates had, 0 to 1
	Novelty   float64 // mean surprise of its items, in bits (Zhou et al. 2010)
}

// VarietyOf measures the first placed of ranked, the page, against the rest.
// takers[i] of the viewers took to item i of the page.
func VarietyOf(page, candidates []Ranked, takers []int, viewers int) Variety {
	list := make([]int32, len(page))
	for i := range list {
		list[i] = int32(i)
	}
	v := Variety{
		Diversity: relevance.Diversity(list, func(a, b int32) float64 { return max(0, alike(page[a], page[b])) }),
		Novelty:   relevance.Novelty(list, takers, viewers),
	}
	topics := func(of []Ranked) int {
		met := map[string]bool{}
		for _, r := range of {
			if r.Item != nil && len(r.Item.Topics) > 0 {
				met[r.Item.Topics[0]] = true
			}
		}
		return len(met)
	}
	if all := topics(candidates); all > 0 {
		v.Coverage = float64(topics(page)) / float64(all)
	}
	return v
}
