package rule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"upnext"
	"upnext/serve/shelf"
	"upnext/serve/taste"
	"upnext/serve/vec"
)

// candidates are drawn by few makers, in few series and topics, some with a
// vector, some copies of others, by falling score.
func candidates(most int) *rapid.Generator[[]Ranked] {
	return rapid.Custom(func(t *rapid.T) []Ranked {
		n := rapid.IntRange(0, most).Draw(t, "n")
		list := make([]Ranked, n)
		score := 1.0
		for i := range list {
			list[i] = Ranked{Score: score, Item: itemOf(func(it *upnext.Item) {
				it.ID, it.Title = upnext.ItemID(fmt.Sprint("i", i)), fmt.Sprint("T", i)
				if i > 0 && rapid.IntRange(0, 9).Draw(t, "copy") == 0 {
					it.Title = "T0"
				}
				it.CreatorID = rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "maker")
				it.SeriesID = rapid.SampledFrom([]string{"", "s", "t"}).Draw(t, "series")
				it.Tags = []string{rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "topic")}
			})}
			if rapid.Bool().Draw(t, "vector") {
				v := []float32{rapid.Float32Range(-1, 1).Draw(t, "v0"), rapid.Float32Range(-1, 1).Draw(t, "v1"), 0.1}
				list[i].Vector = vec.Unit(v)
			}
			score -= rapid.Float64Range(0, 0.1).Draw(t, "step")
		}
		return list
	})
}

func pages() *rapid.Generator[Page] {
	caps := rapid.Custom(func(t *rapid.T) Cap {
		c := Cap{Page: rapid.IntRange(0, 3).Draw(t, "page"), Within: rapid.IntRange(0, 4).Draw(t, "within")}
		if c.Within > 0 {
			c.Places = rapid.IntRange(1, c.Within).Draw(t, "places")
		}
		return c
	})
	return rapid.Custom(func(t *rapid.T) Page {
		return Page{
			Count:     rapid.IntRange(0, 15).Draw(t, "count"),
			Diversity: Diversity{Dial: rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(t, "dial"), Method: rapid.SampledFrom([]Method{MMR, DPP}).Draw(t, "method"), Pool: rapid.IntRange(0, 20).Draw(t, "pool")},
			Creators:  caps.Draw(t, "creators"), Series: caps.Draw(t, "series"), Near: rapid.SampledFrom([]float64{0, 0.95}).Draw(t, "near"),
			Mix:       rapid.SampledFrom([]taste.Mix{nil, {{Topic: "a", Share: 0.7}, {Share: 0.3}}}).Draw(t, "mix"),
			Calibrate: rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "calibrate"),
		}
	})
}

func arranged(page Page, from []Ranked) []Ranked {
	var list []Ranked
	for _, i := range page.Arrange(from) {
		list = append(list, from[i])
	}
	return list
}

// breaks reports whether an item in a place breaks a cap, given the places before.
func breaks(c Cap, count int, before []Ranked, r Ranked, key func(*shelf.Item) string) bool {
	k := key(r.Item)
	if k == "" {
		return false
	}
	all, window := 0, 1
	for i, b := range before {
		if key(b.Item) == k {
			all++
			if i > len(before)-c.Within {
				window++
			}
		}
	}
	most := c.most(count)
	return most > 0 && all >= most || c.Within > 0 && window > c.Places
}

func maker(it *shelf.Item) string  { return it.Item.CreatorID }
func series(it *shelf.Item) string { return it.Item.SeriesID }

// TestPromises: each candidate at most once, the page as full as it can be, no
// item beside its copy, and a cap broken only where all that is left breaks it.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from, page := candidates(30).Draw(rt, "from"), pages().Draw(rt, "page")
		got := arranged(page, from)
		copies := func(a, b Ranked) bool {
			episodes := series(a.Item) != "" && series(a.Item) == series(b.Item)
			return a.Item.Content == b.Item.Content ||
				page.Near > 0 && !episodes && a.Vector != nil && b.Vector != nil && vec.Dot(a.Vector, b.Vector) >= float32(page.Near)
		}
		bad := func(r Ranked, before []Ranked) bool {
			return breaks(page.Creators, page.Count, before, r, maker) || breaks(page.Series, page.Count, before, r, series)
		}
		for i, r := range got {
			for _, b := range got[:i] {
				if r.Item == b.Item || copies(r, b) {
					rt.Fatalf("place %d: %s is there, as %s", i, r.Item.Item.ID, b.Item.Item.ID)
				}
			}
			if !bad(r, got[:i]) {
				continue
			}
			for _, other := range from {
				if !slices.ContainsFunc(got, func(g Ranked) bool { return g.Item == other.Item || copies(g, other) }) && !bad(other, got[:i]) {
					rt.Fatalf("place %d: %s breaks a cap, and %s would not", i, r.Item.Item.ID, other.Item.Item.ID)
				}
			}
		}
		if len(got) < page.Count {
			for _, other := range from {
				if !slices.ContainsFunc(got, func(g Ranked) bool { return g.Item == other.Item || copies(g, other) }) {
					rt.Fatalf("%d places of %d, and %s is left", len(got), page.Count, other.Item.Item.ID)
				}
			}
		}
	})
}

// TestByScoreAlone: with nothing asked for but caps, what stands on the page
// stands in the order of scores, but for what a cap has held back.
func TestByScoreAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from, page := candidates(30).Draw(rt, "from"), pages().Draw(rt, "page")
		page.Diversity.Dial, page.Mix, page.Near = 0, nil, 0
		order := page.Arrange(from)
		for place, at := range order {
			var before []Ranked
			for _, i := range order[:place] {
				before = append(before, from[i])
			}
			for _, later := range order[place+1:] {
				if later < at && !breaks(page.Creators, page.Count, before, from[later], maker) && !breaks(page.Series, page.Count, before, from[later], series) {
					rt.Fatalf("place %d has candidate %d before %d, which no cap holds back", place, at, later)
				}
			}
		}
		again := page.Arrange(from)
		if !slices.Equal(order, again) {
			rt.Fatalf("%v, then %v", order, again)
		}
	})
}

// TestPins: what is pinned stands in its place, whatever the other rules say;
// the others keep their promises around it.
func TestPins(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from, page := candidates(30).Draw(rt, "from"), pages().Draw(rt, "page")
		page.Near = 0
		if len(from) == 0 || page.Count == 0 {
			return
		}
		want := map[int]*shelf.Item{} // by place from 0
		for range 3 {
			it := from[rapid.IntRange(0, len(from)-1).Draw(rt, "item")].Item
			place := rapid.IntRange(1, min(page.Count, len(from))).Draw(rt, "place")
			page.Pins = append(page.Pins, Pin{Place: place, Take: func(x *shelf.Item) bool { return x == it }})
			clash := want[place-1] != nil
			for _, other := range want {
				clash = clash || other.Content == it.Content
			}
			if !clash {
				want[place-1] = it
			}
		}
		got := arranged(page, from)
		for place, it := range want {
			if len(got) == min(page.Count, len(from)) && got[place].Item != it {
				rt.Fatalf("place %d has %s, want the pinned %s", place, got[place].Item.Item.ID, it.Item.ID)
			}
			if !slices.ContainsFunc(got, func(r Ranked) bool { return r.Item == it }) {
				rt.Fatalf("the pinned %s is not there", it.Item.ID)
			}
		}
	})
}

// TestWindowAroundPin: a window is held on both sides of a pinned place.
func TestWindowAroundPin(t *testing.T) {
	from := ranked("a1", "b2", "c3", "a1", "b2", "c3")
	page := Page{Count: 4, Creators: Cap{Places: 1, Within: 2}, Pins: []Pin{{Place: 2, Take: func(it *shelf.Item) bool { return it == from[3].Item }}}}
	if got, want := page.Arrange(from), []int{1, 3, 2, 0}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v: none of the pinned one's maker beside it", got, want)
	}
}

// TestGreedyDeterminant: the fast DPP chooses what comparing determinants
// chooses, item by item.
func TestGreedyDeterminant(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		from := make([]Ranked, 9)
		for i := range from {
			v := make([]float32, 12)
			for j := range v {
				v[j] = float32(rng.NormFloat64())
			}
			from[i] = Ranked{Vector: vec.Unit(v), Score: 1 - float64(i)*rng.Float64()/100, Item: itemOf(func(it *upnext.Item) {
				it.ID, it.Title, it.Tags = upnext.ItemID(fmt.Sprint(i)), fmt.Sprint(i), []string{string(rune('a' + rng.IntN(3)))}
			})}
		}
		slices.SortStableFunc(from, func(a, b Ranked) int { return int(math.Copysign(1, b.Score-a.Score)) })
		dial := 0.1 + 0.9*rng.Float64()
		page := Page{Count: 6, Diversity: Diversity{Dial: dial, Method: DPP, Pool: 9}}
		if got, want := page.Arrange(from), naive(from, 6, dial); !slices.Equal(got, want) {
			t.Fatalf("dial %g: %v, want %v", dial, got, want)
		}
	}
}

// naive takes the item for which score and the logarithm of the determinant of
// all taken are best.
func naive(from []Ranked, n int, dial float64) []int {
	low, span := from[len(from)-1].Score, from[0].Score-from[len(from)-1].Score
	var picked []int
	for range n {
		best, at := math.Inf(-1), -1
		for i := range from {
			if slices.Contains(picked, i) {
				continue
			}
			set := append(slices.Clone(picked), i)
			m := make([][]float64, len(set))
			for a := range set {
				m[a] = make([]float64, len(set))
				for b := range set {
					if m[a][b] = alike(from[set[a]], from[set[b]]); a == b {
						m[a][b] = 1
					}
				}
			}
			sum := dial / 2 * math.Log(max(determinant(m), 1e-300))
			for _, k := range set {
				sum += (1 - dial) * (from[k].Score - low) / span
			}
			if sum > best {
				best, at = sum, i
			}
		}
		picked = append(picked, at)
	}
	return picked
}

// determinant is by elimination with pivots.
func determinant(m [][]float64) float64 {
	d := 1.0
	for c := range m {
		p := c
		for r := c; r < len(m); r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		if m[p][c] == 0 {
			return 0
		}
		if p != c {
			m[p], m[c], d = m[c], m[p], -d
		}
		d *= m[c][c]
		for r := c + 1; r < len(m); r++ {
			f := m[r][c] / m[c][c]
			for k := c; k < len(m); k++ {
				m[r][k] -= f * m[c][k]
			}
		}
	}
	return d
}
