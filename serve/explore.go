package serve

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"upnext"
	"upnext/serve/explore"
	"upnext/serve/rule"
	"upnext/serve/shelf"
	"upnext/serve/source"
)

// exploreEvery is how often the chances of a tenant's new items are counted anew.
const exploreEvery = time.Minute

// exploreLooked is how many of the newest items are looked at to find those that
// few have met; as many are drawn from all of the shelf.
const exploreLooked = 2000

// chances are those of the items that few have met, at one time.
type chances struct {
	at   time.Time
	arms []explore.Arm
}

// weighChances counts the chances anew, where it is time. The caller holds
// following.
func (r *Recommender) weighChances(tn *tenant, now time.Time) {
	set := r.Settings.Explore
	if last := tn.chances.Load(); set.Share == 0 || last != nil && len(last.arms) > 0 && now.Sub(last.at) < exploreEvery {
		return
	}
	seed := r.Seed ^ uint64(now.Unix()/int64(exploreEvery/time.Second))
	tried, rate := tn.crowd.Tried(tn.hardlyMet(set, seed))
	few := tried[:0]
	for _, t := range tried {
		if max(t.Shown, t.Taken) < set.Until {
			few = append(few, t)
		}
	}
	tn.chances.Store(&chances{now, explore.Arms(few[:min(len(few), set.Pool)], rate, set, seed)})
}

// hardlyMet returns items to look at: the newest, and some of all the others, in
// turn.
func (tn *tenant) hardlyMet(set explore.Settings, seed uint64) []int32 {
	newest := tn.shelf.Newest()
	looked := min(len(newest), exploreLooked)
	rest := newest[looked:]
	rng := rand.New(rand.NewPCG(seed, 1))
	ords := make([]int32, 0, 2*looked)
	met := make(map[int32]bool, 2*looked)
	add := func(it *shelf.Item) {
		if !met[it.Ord] {
			met[it.Ord] = true
			ords = append(ords, it.Ord)
		}
	}
	for i := range looked {
		add(newest[i])
		if len(rest) > 0 {
			add(rest[rng.IntN(len(rest))])
		}
	}
	return ords
}

// countShown counts an impression, or takes it back.
func (tn *tenant) countShown(e upnext.Event, by int32) {
	if e.Kind != upnext.Impression {
		return
	}
	if it := tn.shelf.Item(e.Item); it != nil {
		tn.crowd.Shown(it.Ord, by)
	}
}

// chancesFor says what is explored on the request's page.
func (r *Recommender) chancesFor(q *asked) source.Chances {
	share := r.Settings.Explore.Share
	if q.req.Explore != nil {
		share = *q.req.Explore
	}
	now := q.tenant.chances.Load()
	if now == nil || share == 0 {
		return source.Chances{}
	}
	return source.Chances{Arms: now.arms, Places: len(explore.Places(q.req.Count, share)), Whom: q.whom()}
}

// explored keeps places for the items that were drawn for them.
func (q *asked) explored(ranked []*candidate) []rule.Pin {
	if q.ask.Chances.Places == 0 {
		return nil
	}
	places := explore.Places(q.req.Count, float64(q.ask.Chances.Places)/float64(q.req.Count))
	var pins []rule.Pin
	for _, c := range ranked {
		if c.chance > 0 && len(pins) < len(places) {
			pins = append(pins, rule.Pin{Slot: "explore", Place: places[len(pins)], Take: func(it *shelf.Item) bool { return it.Ord == c.item.Ord && q.guard.Pass(it) }})
		}
	}
	return pins
}

// whom is a number of the viewer as they stand: another after each of their events.
func (q *asked) whom() uint64 {
	h := fnv.New64a()
	h.Write([]byte(q.req.Viewer.String()))
	if q.req.Viewer.ID == "" {
		h.Write([]byte(q.req.Session))
	}
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(q.viewer.state.At.UnixNano())))
	return h.Sum64()
}
