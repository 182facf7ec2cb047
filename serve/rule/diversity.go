package rule

import (
	"upnext/serve/shelf"
	"upnext/serve/vec"
)

// Ranked is a candidate in the order of its score.
type Ranked struct {
	Item   *shelf.Item
	Vector []float32 // nil where it has none
	Score  float64
}

// Page says how a page is arranged.
type Page struct {
	Count      int
	Diversity  float64 // 0: by score alone, 1: by difference alone
	CreatorCap int     // most items of one creator; 0 for no cap
	Pool       int     // how many of the best are arranged; the rest only fills up
}

// What makes two items alike, beside their vectors.
const (
	alikeByVector = 0.7
	alikeByTopic  = 0.3 // of the first topic
)

// Arrange picks up to Count of ranked, which are in the order of their score,
// and returns their positions in the order of the page: maximal marginal
// relevance, under the cap. Where the cap would leave the page short it is
// lifted. Ties go to the better score.
func (p Page) Arrange(ranked []Ranked) []int {
	pool := ranked[:min(len(ranked), max(p.Pool, p.Count))]
	picked := make([]int, 0, min(p.Count, len(ranked)))
	if len(pool) == 0 {
		return picked
	}
	low, high := pool[len(pool)-1].Score, pool[0].Score
	span := max(high-low, 1e-12)
	taken := make([]bool, len(ranked))
	near := make([]float64, len(pool)) // similarity to the most similar one picked
	perCreator := map[string]int{}
	for len(picked) < p.Count {
		best, at := 0.0, -1
		for i, r := range pool {
			if taken[i] || p.capped(r.Item, perCreator) {
				continue
			}
			value := (1-p.Diversity)*(r.Score-low)/span - p.Diversity*near[i]
			if at < 0 || value > best {
				best, at = value, i
			}
		}
		if at < 0 {
			break
		}
		taken[at] = true
		picked = append(picked, at)
		perCreator[pool[at].Item.Item.CreatorID]++
		if p.Diversity > 0 && len(picked) < p.Count {
			for i := range pool {
				if !taken[i] {
					near[i] = max(near[i], alike(pool[i], pool[at]))
				}
			}
		}
	}
	for _, lifted := range []bool{false, true} {
		for i, r := range ranked {
			if len(picked) < p.Count && !taken[i] && (lifted || !p.capped(r.Item, perCreator)) {
				taken[i] = true
				picked = append(picked, i)
				perCreator[r.Item.Item.CreatorID]++
			}
		}
	}
	return picked
}

func (p Page) capped(it *shelf.Item, perCreator map[string]int) bool {
	c := it.Item.CreatorID
	return p.CreatorCap > 0 && c != "" && perCreator[c] >= p.CreatorCap
}

// alike is 0 for two items that have nothing to do with each other, 1 for the same.
func alike(a, b Ranked) float64 {
	s := 0.0
	if a.Vector != nil && b.Vector != nil {
		s = alikeByVector * max(0, float64(vec.Dot(a.Vector, b.Vector)))
	}
	if len(a.Item.Topics) > 0 && len(b.Item.Topics) > 0 && a.Item.Topics[0] == b.Item.Topics[0] {
		s += alikeByTopic
	}
	return s
}
