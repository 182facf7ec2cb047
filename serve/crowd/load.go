package crowd

import (
	"fmt"
	"io"
	"time"

	"upnext"
	"upnext/serve/packed"
)

// Bounds of what a file may hold, so that a damaged one does not take all memory.
const (
	mostItems = 1 << 27
	mostPairs = savedAtOnce * 1 << 16
)

// Load takes the counts of a file that Save has written, in place of those that
// there are. number is an item's number now, below 0 where there is none any more:
// what was counted of it is left out. On an error the counts are as before.
func (c *Crowd) Load(from io.Reader, number func(upnext.ItemID) int32) error {
	l := &loading{r: packed.NewReader(from), of: New(c.set)}
	names := packed.Strings[upnext.ItemID](l.r, mostItems)
	l.items = make([]int32, len(names))
	for i, id := range names {
		l.items[i] = number(id)
	}
	l.counts()
	l.trend()
	l.recents()
	l.pairs()
	l.likes()
	if err := l.r.Close(); err != nil {
		return fmt.Errorf("load the counts: %w", err)
	}
	if l.err != nil {
		return fmt.Errorf("load the counts: %w", l.err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := l.of
	c.seed, c.popular, c.trend, c.recent, c.pairs, c.likes, c.tries, c.latest = n.seed, n.popular, n.trend, n.recent, n.pairs, n.likes, n.tries, n.latest
	return nil
}

// loading is a file on its way into counts.
type loading struct {
	r     *packed.Reader
	of    *Crowd
	items []int32 // what the file's items are now
	err   error
}

// item is what an item of the file is now; false where it is no more.
func (l *loading) item(i int32) (int32, bool) {
	if i < 0 || int(i) >= len(l.items) {
		l.fail("item %d of %d", i, len(l.items))
		return 0, false
	}
	now := l.items[i]
	return now, now >= 0
}

func (l *loading) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format+": %w", append(args, upnext.ErrInvalid)...)
	}
}

// alike reports whether lists have as many elements as each other.
func (l *loading) alike(lengths ...int) bool {
	for _, n := range lengths {
		if n != lengths[0] {
			l.fail("lists of %v elements", lengths)
			return false
		}
	}
	return l.r.Err() == nil
}

func (l *loading) counts() {
	c := l.of
	c.seed, c.recent.clock, c.latest = packed.Single[uint64](l.r), packed.Single[uint64](l.r), packed.Single[float64](l.r)
	scores := packed.Numbers[float64](l.r, mostItems)
	shown, taken := packed.Numbers[int32](l.r, mostItems), packed.Numbers[int32](l.r, mostItems)
	c.tries.allShown, c.tries.allTaken = packed.Single[int64](l.r), packed.Single[int64](l.r)
	for i, s := range scores {
		if it, ok := l.item(int32(i)); ok && s > 0 {
			c.popular.set(it, s)
		}
	}
	c.popular.rank()
	for list, of := range map[*[]int32][]int32{&c.tries.shown: shown, &c.tries.taken: taken} {
		for i, n := range of {
			if it, ok := l.item(int32(i)); ok && n != 0 {
				*list = grown(*list, it)
				(*list)[it] = n
			}
		}
	}
}

func (l *loading) trend() {
	t := &l.of.trend
	t.landmark = time.Unix(0, packed.Single[int64](l.r))
	viewers, items := packed.Numbers[uint64](l.r, mostItems), packed.Numbers[int32](l.r, mostItems)
	ats, weights := packed.Numbers[int64](l.r, mostItems), packed.Numbers[float64](l.r, mostItems)
	names, in := packed.Strings[string](l.r, mostSegments), packed.Numbers[int32](l.r, mostItems)
	if !l.alike(len(viewers), len(items), len(ats), len(weights), len(in)) {
		return
	}
	for _, name := range names {
		t.segments.of(name)
	}
	t.seen = make(map[visit]entry, len(viewers))
	for i, viewer := range viewers {
		it, ok := l.item(items[i])
		if !ok {
			continue
		}
		v, e := visit{viewer, it}, entry{at: time.Unix(0, ats[i]), weight: weights[i]}
		e.hour = hourOf(e.at)
		if len(t.hours) == 0 || e.hour < t.oldest {
			t.oldest = e.hour
		}
		t.hours[e.hour] = append(t.hours[e.hour], v)
		if in[i] < 0 || int(in[i]) > len(t.segments.list) {
			l.fail("segment %d of %d", in[i], len(t.segments.list))
			return
		}
		e.segment = uint16(in[i])
		t.seen[v] = e
		t.rank.set(it, t.rank.of(it)+e.weight)
		t.segments.add(e.segment, it, e.weight)
		t.total += e.weight
	}
	t.rank.rank()
	if len(viewers) == 0 {
		t.landmark = time.Time{} // there was none
	}
}

func (l *loading) recents() {
	viewers, used := packed.Numbers[uint64](l.r, mostItems), packed.Numbers[uint64](l.r, mostItems)
	counts, items := packed.Numbers[int32](l.r, mostItems), packed.Numbers[int32](l.r, mostItems)
	units := packed.Numbers[float32](l.r, mostItems)
	if !l.alike(len(viewers), len(used), len(counts)) || !l.alike(len(items), len(units), sum(counts)) {
		return
	}
	at := 0
	for i, v := range viewers {
		r := &ring{used: used[i]}
		for range counts[i] {
			if it, ok := l.item(items[at]); ok {
				r.items = append(r.items, kept{it, units[at]})
			}
			at++
		}
		l.of.recent.of[v] = r
	}
}

func (l *loading) pairs() {
	most := int32(-1)
	for _, now := range l.items {
		most = max(most, now)
	}
	l.of.pairs = make([][]pair, most+1)
	for from := 0; from < len(l.items); from += savedAtOnce {
		counts := packed.Numbers[int32](l.r, savedAtOnce)
		others, weights := packed.Numbers[int32](l.r, mostPairs), packed.Numbers[float32](l.r, mostPairs)
		if !l.alike(len(counts), min(savedAtOnce, len(l.items)-from)) || !l.alike(len(others), len(weights), sum(counts)) {
			return
		}
		at := 0
		for i, n := range counts {
			list := make([]pair, 0, n) // a piece each: one that grows leaves it
			for range n {
				if it, ok := l.item(others[at]); ok {
					list = append(list, pair{it, weights[at]})
				}
				at++
			}
			if own, ok := l.item(int32(from + i)); ok && len(list) > 0 {
				l.of.pairs[own] = list
			}
		}
	}
}

func (l *loading) likes() {
	viewers, counts := packed.Numbers[uint64](l.r, mostItems), packed.Numbers[int32](l.r, mostItems)
	items, hours := packed.Numbers[int32](l.r, mostItems), packed.Numbers[int32](l.r, mostItems)
	if !l.alike(len(viewers), len(counts)) || !l.alike(len(items), len(hours), sum(counts)) {
		return
	}
	at := 0
	for i, v := range viewers {
		var own []like
		for range counts[i] {
			if it, ok := l.item(items[at]); ok {
				own = append(own, like{it, hours[at]})
			}
			at++
		}
		l.of.likes.of.Add(v, own)
	}
}

// sum is what counts count; below 0 where one is below 0.
func sum(counts []int32) (n int) {
	for _, c := range counts {
		if c < 0 {
			return -1
		}
		n += int(c)
	}
	return n
}
