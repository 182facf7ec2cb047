// Package explore gives items that few have met a chance: which of them is shown
// is drawn by Thompson sampling (Chapelle and Li, An Empirical Evaluation of
// Thompson Sampling, NIPS 2011), with a probability that is known to the answer,
// so that what is learned from it can be corrected for it.
package explore

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Settings say what is explored and how much.
type Settings struct {
	Share  float64 // of a page's places; 0 explores nothing
	Until  int     // an item that was shown or taken to so often is no longer explored
	Pool   int     // items explored at one time, at most
	Draws  int     // Thompson samples that chances are counted from
	Before float64 // what is believed beforehand counts as so many showings
}

// DefaultSettings give one place of twenty.
func DefaultSettings() Settings {
	return Settings{Share: 0.05, Until: 50, Pool: 128, Draws: 512, Before: 4}
}

// Tried is how an item has done so far.
type Tried struct {
	Item  int32 // the shelf's ord
	Shown int   // how often viewers met it
	Taken int   // how often they took to it; more than Shown where clients send no impressions
}

// Arm is an item with its chance: the share of the draws in which the rate that was
// drawn for it was the highest.
type Arm struct {
	Item   int32
	Chance float64
	Mean   float64 // of the rate at which viewers take to it, as believed
}

// Arms gives each of tried its chance, by Draws samples of all their posteriors:
// Beta(Before·rate + taken, Before·(1-rate) + shown - taken), where rate is what
// items of the catalogue are taken to at. Chances sum to 1; none is 0, so that each
// may be shown. Equal arguments give equal chances.
func Arms(tried []Tried, rate float64, set Settings, seed uint64) []Arm {
	arms := make([]Arm, len(tried))
	posteriors := make([]distuv.Beta, len(tried))
	source := rand.NewPCG(seed, 0)
	rate = max(0.01, min(0.99, rate))
	for i, t := range tried {
		b := distuv.Beta{
			Alpha: set.Before*rate + float64(t.Taken),
			Beta:  set.Before*(1-rate) + float64(max(0, t.Shown-t.Taken)), Src: source,
		}
		posteriors[i], arms[i] = b, Arm{Item: t.Item, Mean: b.Mean()}
	}
	wins := make([]int, len(tried))
	for range set.Draws {
		best, at := -1.0, -1
		for i := range posteriors {
			if v := posteriors[i].Rand(); v > best {
				best, at = v, i
			}
		}
		if at >= 0 {
			wins[at]++
		}
	}
	// What never won among so many draws is given half a win (Krichevsky and Trofimov).
	for i := range arms {
		arms[i].Chance = (float64(wins[i]) + 0.5) / (float64(set.Draws) + 0.5*float64(len(arms)))
	}
	return arms
}

// Draw picks one of arms by their chances and returns its place and the probability
// that it had; -1 where there is none. A viewer's draw is the maximum of
// log-chances with Gumbel noise out of whom and item, so that it changes only as
// whom or chances do, and little where they change little.
func Draw(arms []Arm, whom uint64) (at int, propensity float64) {
	at = -1
	best, total := math.Inf(-1), 0.0
	for i, a := range arms {
		total += a.Chance
		if v := math.Log(a.Chance) + gumbel(whom, a.Item); v > best {
			best, at = v, i
		}
	}
	if at < 0 {
		return -1, 0
	}
	return at, arms[at].Chance / total
}

// gumbel is noise of the standard Gumbel distribution: the same for equal arguments.
func gumbel(whom uint64, item int32) float64 {
	rng := rand.NewPCG(whom, uint64(item)+1)
	rng.Uint64() // neighbours in the seed are neighbours in the first number
	u := (float64(rng.Uint64()>>11) + 0.5) / (1 << 53)
	return -math.Log(-math.Log(u))
}

// Places are the ranks, from 1, that are given to exploration on a page of count:
// spread evenly, each in the second half of its stretch, as the best of the page
// stays the best. No more than half of the page.
func Places(count int, share float64) []int {
	n := min(int(math.Round(float64(count)*share)), count/2)
	places := make([]int, 0, max(0, n))
	for i := range n {
		stretch := float64(count) / float64(n)
		places = append(places, int(math.Ceil(stretch*(float64(i)+0.65))))
	}
	return slices.Compact(places)
}
