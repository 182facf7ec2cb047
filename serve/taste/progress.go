package taste

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"upnext"
	"upnext/serve/shelf"
)

// Begun is an item that the viewer has watched in part and may go on with.
type Begun struct {
	Item     *shelf.Item
	Position time.Duration // where the player stood last
	At       time.Time     // when that was
}

// Watching is a series that the viewer is at.
type Watching struct {
	Series string
	Last   *shelf.Item // the episode watched last
	At     time.Time
}

// stand is where the newest telling act left an item. Acts come newest first.
type stand struct {
	told     bool
	open     bool // begun and not finished
	skipped  bool
	position time.Duration
	at       time.Time
}

// atEnd is the share of an item from which nothing is left to go on with:
// credits. It is the one judgement that is made of the player's position, which
// a seek moves: what counts as watched is Watch.Ratio's.
const atEnd = 0.95

// read takes in one act. Complete and skip end it; a watch that did not reach
// the end leaves it open. A live stream has no place to go on from.
func (s *stand) read(a Act, duration time.Duration) {
	if s.told {
		return
	}
	switch a.Kind {
	case upnext.Complete, upnext.Skip:
		s.told, s.skipped = true, a.Kind == upnext.Skip
		return
	case upnext.View, upnext.Play, upnext.Progress:
	default:
		return
	}
	if !a.Watched {
		return // begun anew, or only opened: what was told before stands
	}
	if a.Watch.Duration > 0 {
		duration = a.Watch.Duration
	}
	at := cmp.Or(a.Watch.Position, a.Watch.Watched)
	s.told, s.position, s.at = true, at, a.At
	ended := duration > 0 && (a.Watch.Ratio(duration) >= finishedShare || float64(at) >= atEnd*float64(duration))
	s.open = at >= quickSkip && !ended
}

// progress fills in what is begun, and which series are being watched: those
// of which an episode was watched, and neither skipped at last nor disliked.
func (s *State) progress(order []*tally) {
	series := map[string]Watching{}
	for _, t := range order {
		if s.avoids(t.item) || t.weight() < 0 {
			continue
		}
		if t.stand.open && t.item.Item.Kind != "live" {
			s.Begun = append(s.Begun, Begun{t.item, t.stand.position, t.stand.at})
		}
		if id := t.item.Item.SeriesID; id != "" && t.weight() > 0 && !t.stand.skipped && !series[id].At.After(t.at) {
			series[id] = Watching{id, t.item, t.at}
		}
	}
	for _, w := range series {
		s.Series = append(s.Series, w)
	}
	slices.SortFunc(s.Begun, func(a, b Begun) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(string(a.Item.Item.ID), string(b.Item.Item.ID)))
	})
	slices.SortFunc(s.Series, func(a, b Watching) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(a.Series, b.Series))
	})
}

// IsBegun reports whether the viewer may go on with an item.
func (s *State) IsBegun(it *shelf.Item) bool {
	return slices.ContainsFunc(s.Begun, func(b Begun) bool { return b.Item == it })
}
