package learntest

import (
	"math"
	"math/rand/v2"
	"slices"

	"upnext/learn"
)

// board is two worlds of as many items each, the first's before the second's,
// and viewers who stay in theirs: each took a random choice of its items.
type board struct {
	items, viewers, acts int // of one world
	timed                bool
}

// log is what the viewers of both worlds did, those of one beside the other's.
func (b board) log(seed uint64) learn.Log {
	return learn.Log{Items: 2 * b.items, Viewers: b.fresh(seed, 2*b.viewers)}
}

// fresh draws n histories, of either world in turn.
func (b board) fresh(seed uint64, n int) []learn.History {
	rng := rand.New(rand.NewPCG(seed, 11))
	all := make([]learn.History, n)
	for v := range all {
		at := int64(1_700_000_000) + rng.Int64N(1e6)
		for _, item := range rng.Perm(b.items)[:b.acts] {
			all[v].Items = append(all[v].Items, int32(item+v%2*b.items))
			if b.timed {
				all[v].At = append(all[v].At, at)
				at += rng.Int64N(5000)
			}
		}
	}
	return all
}

// margin is the lowest score of the items of the history's world that are not
// in it, and the highest of the other world.
func (b board) margin(scores []float32, h learn.History) (worstOwn, bestOther float32) {
	worstOwn, bestOther = math.MaxFloat32, -math.MaxFloat32
	world := int(h.Items[0]) / b.items
	for i, s := range scores {
		switch {
		case i/b.items != world:
			bestOther = max(bestOther, s)
		case !slices.Contains(h.Items, int32(i)):
			worstOwn = min(worstOwn, s)
		}
	}
	return worstOwn, bestOther
}
