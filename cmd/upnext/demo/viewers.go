package demo

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"upnext"
)

// Viewer is a simulated viewer: nobody real, and said so wherever shown.
type Viewer struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Locale   string   `json:"locale"`
	Bio      string   `json:"bio"`
	Topics   []string `json:"topics"`
	Creators []string `json:"creators"`
	series   []string
}

// names of the simulated viewers; the first half reads English, the second Chinese.
var names = []string{
	"Ada", "Bruno", "Cleo", "Dario", "Esme", "Finn", "Greta", "Hugo", "Iris", "Jonas",
	"Kira", "Leo", "Mabel", "Nico", "Olive", "Pavel", "Quinn", "Rosa", "Sami", "Tess",
	"阿明", "白露", "晨曦", "东东", "恩雅", "方圆", "国栋", "海棠", "佳音", "凯文",
	"兰心", "木子", "念慈", "欧阳", "平安", "青禾", "若水", "思远", "小满", "知秋",
}

// lookback is how far back the simulated viewers' events reach.
const lookback = 60 * 24 * time.Hour

// Viewers returns the simulated viewers and what they did in the 60 days
// before now, oldest first. Each follows some topics, creators and series,
// watches mostly those and sometimes anything, likes what fits. The seed
// decides all of it.
func Viewers(seed uint64, now time.Time) ([]Viewer, []upnext.Event, error) {
	items, err := Items()
	if err != nil {
		return nil, nil, err
	}
	topics := slices.Sorted(maps.Keys(scenes))
	var viewers []Viewer
	var events []upnext.Event
	for i, name := range names {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		v := Viewer{ID: fmt.Sprintf("viewer-%02d", i+1), Name: name, Locale: "en"}
		if i >= len(names)/2 {
			v.Locale = "zh"
		}
		for _, k := range r.Perm(len(topics))[:2+r.IntN(2)] {
			v.Topics = append(v.Topics, topics[k])
		}
		v.chooseCreators(items, r)
		v.Bio = v.bio()
		viewers = append(viewers, v)
		events = append(events, v.live(items, r, now)...)
	}
	slices.SortStableFunc(events, func(a, b upnext.Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return viewers, events, nil
}

// chooseCreators takes two creators from the viewer's topics, in a language
// that they read, and the series that those make.
func (v *Viewer) chooseCreators(items []Item, r *rand.Rand) {
	for _, k := range r.Perm(len(items)) {
		it := items[k]
		if len(v.Creators) < 2 && slices.Contains(v.Topics, it.Topic) && it.Language == v.Locale && !slices.Contains(v.Creators, it.CreatorID) {
			v.Creators = append(v.Creators, it.CreatorID)
		}
	}
	for _, it := range items {
		if it.SeriesID != "" && slices.Contains(v.Creators, it.CreatorID) && !slices.Contains(v.series, it.SeriesID) {
			v.series = append(v.series, it.SeriesID)
		}
	}
}

func (v *Viewer) bio() string {
	if v.Locale == "zh" {
		return fmt.Sprintf("模拟观众，常看：%s。", strings.Join(v.Topics, "、"))
	}
	return fmt.Sprintf("Simulated viewer, drawn to %s.", strings.Join(v.Topics, ", "))
}

// appeal is how much the viewer cares for an item, 0 to 1.
func (v *Viewer) appeal(it Item) float64 {
	score := .06
	if slices.Contains(v.Topics, it.Topic) {
		score += .5
	}
	if slices.Contains(v.Creators, it.CreatorID) {
		score += .25
	}
	if slices.Contains(v.series, it.SeriesID) {
		score += .15
	}
	if it.Language != v.Locale {
		score *= .45
	}
	return min(score, .95)
}

// live makes the viewer's events: some follows, then sessions on the way to now.
func (v *Viewer) live(items []Item, r *rand.Rand, now time.Time) []upnext.Event {
	start := now.Add(-lookback)
	var events []upnext.Event
	add := func(kind upnext.EventKind, at time.Time, it *Item, more func(*upnext.Event)) {
		e := upnext.Event{
			ID: upnext.EventID(fmt.Sprintf("%s-%04d", v.ID, len(events))), Kind: kind, At: at.UTC().Truncate(time.Millisecond),
			Viewer: upnext.ViewerID{ID: v.ID}, Surface: "simulated", ReceivedAt: now.UTC(),
		}
		if it != nil {
			e.Item, e.Creator = upnext.ItemID(it.ID), it.CreatorID
		}
		if more != nil {
			more(&e)
		}
		if e.At.Before(now) {
			events = append(events, e)
		}
	}
	for _, c := range v.Creators {
		add(upnext.Follow, start.Add(time.Duration(r.Float64()*float64(lookback)*.3)), nil, func(e *upnext.Event) { e.Creator = c })
	}
	for at := start.Add(time.Duration(r.Float64() * float64(4*24*time.Hour))); at.Before(now); at = at.Add(time.Duration((.5 + 4*r.Float64()) * float64(24*time.Hour))) {
		when := at
		for range 1 + r.IntN(4) {
			it := v.pick(items, r)
			v.watch(&it, when, r, add)
			when = when.Add(time.Duration(it.Duration)*time.Millisecond + time.Minute)
		}
	}
	return events
}

// pick draws an item: mostly by appeal, one in seven times by chance.
func (v *Viewer) pick(items []Item, r *rand.Rand) Item {
	for {
		it := items[r.IntN(len(items))]
		if it.MinAge < 16 && (r.Float64() < v.appeal(it) || r.Float64() < .02) {
			return it
		}
	}
}

// watch sends what watching one item sends.
func (v *Viewer) watch(it *Item, at time.Time, r *rand.Rand, add func(upnext.EventKind, time.Time, *Item, func(*upnext.Event))) {
	appeal := v.appeal(*it)
	length := time.Duration(it.Duration) * time.Millisecond
	add(upnext.Play, at, it, nil)
	if r.Float64() > appeal+.35 {
		add(upnext.Skip, at.Add(2*time.Second), it, func(e *upnext.Event) { e.Watch = &upnext.Watch{Watched: 2 * time.Second, Duration: length} })
		return
	}
	if length > 0 {
		share := min(1, appeal+.45*r.Float64())
		kind := upnext.Progress
		if share > .9 {
			kind = upnext.Complete
		}
		watched := time.Duration(share * float64(length))
		add(kind, at.Add(watched), it, func(e *upnext.Event) { e.Watch = &upnext.Watch{Watched: watched, Position: watched, Duration: length} })
	}
	if r.Float64() < appeal*.6 {
		add(upnext.Like, at.Add(length+time.Second), it, nil)
	}
	if r.Float64() < appeal*.12 {
		add(upnext.Save, at.Add(length+2*time.Second), it, nil)
	}
}
