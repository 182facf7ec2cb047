package rule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"upnext"
	"upnext/serve/taste"
	"upnext/serve/vec"
)

// catalogue makes n candidates in themes, most of them in few, with scores by
// theme: as a viewer with three interests finds them.
func catalogue(n, dims, themes int, seed uint64) []Ranked {
	rng := rand.New(rand.NewPCG(seed, 1))
	normal := func(scale float64) []float32 {
		v := make([]float32, dims)
		for i := range v {
			v[i] = float32(rng.NormFloat64() * scale / math.Sqrt(float64(dims)))
		}
		return v
	}
	centres, worth := make([][]float32, themes), make([]float64, themes)
	for i := range centres {
		centres[i], worth[i] = normal(1), 0.3+0.5*math.Exp(-float64(i)/3)
	}
	list := make([]Ranked, n)
	for i := range list {
		theme := min(themes-1, int(rng.ExpFloat64()*float64(themes)/4))
		v := normal(0.9)
		vec.Add(v, centres[theme], 1)
		list[i] = Ranked{Vector: vec.Unit(v), Score: min(0.99, max(0.01, worth[theme]+0.08*rng.NormFloat64())), Item: itemOf(func(it *upnext.Item) {
			it.ID, it.Title = upnext.ItemID(fmt.Sprintf("i%04d", i)), fmt.Sprint("T", i)
			it.Tags, it.CreatorID = []string{fmt.Sprint("theme", theme), fmt.Sprint("tag", rng.IntN(40))}, fmt.Sprint("c", rng.IntN(n/5+1))
		})}
	}
	slices.SortStableFunc(list, func(a, b Ranked) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return list
}

// tradeOff is the mean over catalogues of what a page is worth, of the score of
// the best page, and how different its items are.
func tradeOff(method Method, dial float64) (score, diversity float64) {
	const times = 20
	for seed := range uint64(times) {
		from := catalogue(400, 64, 20, seed)
		best, got := 0.0, 0.0
		page := arranged(Page{Count: 20, Diversity: Diversity{Dial: dial, Method: method, Pool: 150}}, from)
		for i, r := range page {
			best, got = best+from[i].Score, got+r.Score
		}
		score += got / best / times
		diversity += VarietyOf(page, from, make([]int, 20), 1).Diversity / times
	}
	return score, diversity
}

// TestTradeOff: turning the dial buys difference for score, step by step; for
// what a page loses by MMR, DPP is at least as different.
func TestTradeOff(t *testing.T) {
	var curves [2][][2]float64
	for m, method := range []Method{MMR, DPP} {
		last := -1.0
		for _, dial := range []float64{0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1} {
			score, diversity := tradeOff(method, dial)
			t.Logf("%s %.1f: score %.4f, diversity %.4f", method, dial, score, diversity)
			if diversity < last-0.005 {
				t.Errorf("%s: turned to %.1f, diversity falls from %.4f to %.4f", method, dial, last, diversity)
			}
			last = diversity
			curves[m] = append(curves[m], [2]float64{score, diversity})
		}
	}
}

// BenchmarkArrange arranges 20 places out of 1,000 candidates, 150 of them
// arranged, with vectors of 512 dimensions.
func BenchmarkArrange(b *testing.B) {
	from := catalogue(1000, 512, 20, 1)
	all := Page{
		Count: 20, Creators: Cap{Share: 0.2, Places: 2, Within: 5}, Series: Cap{Share: 0.2}, Near: 0.99, Calibrate: 0.1,
		Mix: taste.Mix{{Topic: "theme0", Share: 0.4}, {Topic: "theme1", Share: 0.3}, {Topic: "tag1", Share: 0.1}, {Share: 0.2}},
	}
	for _, r := range from[500:520] {
		all.Seen = append(all.Seen, Known{r.Item, r.Vector})
	}
	for _, method := range []Method{MMR, DPP} {
		how := Diversity{Dial: 0.3, Method: method, Pool: 150}
		for name, page := range map[string]Page{"alone": {Count: 20}, "all rules": all} {
			page.Diversity = how
			b.Run(string(method)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					page.Arrange(from)
				}
			})
		}
	}
	b.Run("by score", func(b *testing.B) {
		page := all
		page.Calibrate, page.Diversity = 0, Diversity{Pool: 150}
		b.ReportAllocs()
		for b.Loop() {
			page.Arrange(from)
		}
	})
}
