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
	hour    int64
	at      time.Time
	weight  float64 // as of the landmark
	segment uint16  // see segments
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
	segments segments
	total    float64 // of all scores
}

// add counts a visit once, at its latest time.
func (t *trend) add(v visit, at, now time.Time, in string, set Settings) {
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
	e := entry{hour: hour, at: at, weight: math.Exp2(float64(at.Sub(t.landmark)) / float64(set.TrendHalfLife)), segment: t.segments.of(in)}
	if len(t.hours) == 0 || hour < t.oldest {
		t.oldest = hour
	}
	t.seen[v] = e
	if !again || before.hour != hour { // else it stands there already
		t.hours[hour] = append(t.hours[hour], v)
	}
	t.count(v.item, e.weight, e.segment)
}

// count adds to an item's score, among all and in its segment.
func (t *trend) count(item int32, by float64, segment uint16) {
	t.rank.add(item, by)
	t.segments.add(segment, item, by)
	if t.total = max(0, t.total+by); len(t.seen) == 0 {
		t.total = 0 // what rounding has left
	}
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
	t.segments.multiply(math.Exp2(-over))
	t.total *= math.Exp2(-over)
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
		t.count(v.item, -e.weight, e.segment)
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
