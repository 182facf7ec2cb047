package crowd

import (
	"math"
	"slices"
	"time"
)

// visit is one viewer's attention to one item.
type visit struct {
	viewer uint64
	item   int32
}

// entry is what a visit counts.
type entry struct {
	hour   int64
	at     time.Time
	weight float64 // as of the landmark
}

// trend counts the viewers of each item within the window, each once, faded
// by the time since. Scores are kept as of a landmark in time, so that no
// event but its own moves an item's score; the landmark follows the events.
type trend struct {
	rank     ranking
	seen     map[visit]entry
	hours    map[int64][]visit // by the hour of their event
	oldest   int64             // no earlier hour has visits
	landmark time.Time
}

// add counts a visit once, at its latest time.
func (t *trend) add(v visit, at, now time.Time, set Settings) {
	t.expire(now, set)
	if now.Sub(at) >= set.TrendWindow {
		return
	}
	before, again := t.seen[v]
	if again && !at.After(before.at) {
		return
	}
	hour := hourOf(at)
	t.remove(v)
	for len(t.seen) >= set.TrendEntries && len(t.hours) > 0 {
		t.dropOldest()
	}
	t.advance(at, set)
	e := entry{hour: hour, at: at, weight: math.Exp2(float64(at.Sub(t.landmark)) / float64(set.TrendHalfLife))}
	if len(t.hours) == 0 || hour < t.oldest {
		t.oldest = hour
	}
	t.seen[v] = e
	if !again || before.hour != hour { // else it stands there already
		t.hours[hour] = append(t.hours[hour], v)
	}
	t.rank.add(v.item, e.weight)
}

func hourOf(at time.Time) int64 { return at.Unix() / 3600 }

// advance moves the landmark when weights would grow out of hand.
func (t *trend) advance(at time.Time, set Settings) {
	const most = 64
	if t.landmark.IsZero() {
		t.landmark = at
	}
	over := float64(at.Sub(t.landmark)) / float64(set.TrendHalfLife)
	if over < most {
		return
	}
	t.rank.multiply(math.Exp2(-over))
	for v, e := range t.seen {
		e.weight *= math.Exp2(-over)
		t.seen[v] = e
	}
	t.landmark = at
}

// scale turns a score as of the landmark into one as of now.
func (t *trend) scale(now time.Time, set Settings) float64 {
	return math.Exp2(-float64(now.Sub(t.landmark)) / float64(set.TrendHalfLife))
}

// remove takes a visit back. Its place in the list of its hour stays until
// the hour goes; an entry of another hour tells that it is void.
func (t *trend) remove(v visit) {
	if e, ok := t.seen[v]; ok {
		delete(t.seen, v)
		t.rank.add(v.item, -e.weight)
	}
}

// expire drops the hours that have left the window.
func (t *trend) expire(now time.Time, set Settings) {
	for t.over(now, set) {
		t.dropOldest()
	}
}

// over reports whether there is an hour that has left the window.
func (t *trend) over(now time.Time, set Settings) bool {
	return len(t.hours) > 0 && t.oldest < hourOf(now.Add(-set.TrendWindow))
}

func (t *trend) dropOldest() {
	for _, v := range t.hours[t.oldest] {
		if e, ok := t.seen[v]; ok && e.hour == t.oldest {
			t.remove(v)
		}
	}
	delete(t.hours, t.oldest)
	if len(t.hours) == 0 {
		return
	}
	hours := make([]int64, 0, len(t.hours))
	for h := range t.hours {
		hours = append(hours, h)
	}
	t.oldest = slices.Min(hours)
}
