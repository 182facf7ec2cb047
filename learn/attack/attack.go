// Package attack damages logs as hostile viewers and bad networks do, so that it
// can be measured how models bear it. The functions are plain functions of the
// log and a seed; they leave the log as it is and share its memory.
package attack

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"upnext/learn"
)

// bandwagon is how many of the most popular items a fake profile climbs on.
const bandwagon = 10

// Random adds fake viewers, share of those there are, who all took to the pushed
// item and else to items chosen evenly (the random attack of Lam & Riedl 2004,
// "Shilling recommender systems for fun and profit"). A profile is as long as
// that of some viewer, and the pushed item is anywhere in it.
func Random(log learn.Log, pushed int32, share float64, seed uint64) learn.Log {
	return push(log, pushed, share, seed, nil)
}

// Bandwagon does as Random, but each profile holds some of the ten most popular
// items, too, up to half of it, so that it is like many viewers at once (Mobasher
// et al. 2007, "Toward trustworthy recommender systems").
func Bandwagon(log learn.Log, pushed int32, share float64, seed uint64) learn.Log {
	return push(log, pushed, share, seed, popular(log, bandwagon))
}

func push(log learn.Log, pushed int32, share float64, seed uint64, wagon []int32) learn.Log {
	random := rand.New(rand.NewPCG(seed, 1))
	out := learn.Log{Items: log.Items, Viewers: slices.Clone(log.Viewers)}
	for range int(share*float64(len(log.Viewers)) + .5) {
		like := log.Viewers[random.IntN(len(log.Viewers))]
		n := min(max(2, len(like.Items)), log.Items)
		items := []int32{pushed}
		for _, i := range random.Perm(len(wagon)) {
			if len(items) < 1+n/2 && wagon[i] != pushed {
				items = append(items, wagon[i])
			}
		}
		taken := map[int32]bool{}
		for _, item := range items {
			taken[item] = true
		}
		for len(items) < n {
			if item := int32(random.IntN(log.Items)); !taken[item] {
				taken[item] = true
				items = append(items, item)
			}
		}
		random.Shuffle(len(items), func(a, b int) { items[a], items[b] = items[b], items[a] })
		fake := learn.History{Items: items}
		if like.At != nil {
			fake.At = at(like.At, len(items))
		}
		out.Viewers = append(out.Viewers, fake)
	}
	return out
}

// at is n times, those given as far as they go.
func at(given []int64, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		if len(given) > 0 {
			out[i] = given[min(i, len(given)-1)]
		}
	}
	return out
}

// popular is the n items with most acts, equals by number.
func popular(log learn.Log, n int) []int32 {
	counts, order := make([]int, log.Items), make([]int32, log.Items)
	for i := range order {
		order[i] = int32(i)
	}
	for _, h := range log.Viewers {
		for _, item := range h.Items {
			counts[item]++
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return order[:min(n, log.Items)]
}

// Unpopular is the item whose rise is the easiest to see: of those with an act,
// that with fewest, the first by number.
func Unpopular(log learn.Log) int32 {
	order := popular(log, log.Items)
	counts := make([]int, log.Items)
	for _, h := range log.Viewers {
		for _, item := range h.Items {
			counts[item]++
		}
	}
	best := order[0]
	for _, item := range order {
		if counts[item] > 0 && (counts[item] < counts[best] || counts[item] == counts[best] && item < best) {
			best = item
		}
	}
	return best
}
