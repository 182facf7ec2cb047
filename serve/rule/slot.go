package rule

import (
	"slices"
	"time"

	"upnext"
	"upnext/serve/shelf"
)

// Slot gives a place of a page to an item, or to the best item that passes an
// expression. The guard holds for it: who may not see the item finds the next
// best in its place.
type Slot struct {
	Name      string        `json:"name"` // in traces; "" is the place
	Place     int           `json:"place"`
	Item      upnext.ItemID `json:"item"` // one of the two
	If        string        `json:"if"`   // filter expression
	From      time.Time     `json:"from"` // zero: always was
	Until     time.Time     `json:"until"`
	Scenarios []string      `json:"scenarios"` // none: home
}

// MaxSlots bounds the slots of one set of rules.
const MaxSlots = 50

func (s Slot) validate(of string) error {
	switch {
	case s.Place < 1 || s.Place > upnext.MaxCount:
		return bad(of+".place", "%d is not within 1 and %d", s.Place, upnext.MaxCount)
	case (s.Item == "") == (s.If == ""):
		return bad(of, "item or if: one of the two")
	case !s.Until.IsZero() && s.Until.Before(s.From):
		return bad(of+".until", "before from")
	}
	return nil
}

// Active reports whether it holds in a scenario at a time.
func (s Slot) Active(scenario string, now time.Time) bool {
	return during(s.From, s.Until, now) && within(s.Scenarios, scenario)
}

func during(from, until, now time.Time) bool {
	return !now.Before(from) && (until.IsZero() || now.Before(until))
}

// within reports whether a scenario is among those named; none names home.
func within(scenarios []string, scenario string) bool {
	if len(scenarios) == 0 {
		return scenario == "home"
	}
	return slices.Contains(scenarios, scenario)
}

// Pin is a slot of one request.
type Pin struct {
	Slot  string
	Place int                    // from 1
	Take  func(*shelf.Item) bool // the first candidate that it says yes to has the place
}

// pin fills the place of a pin, where it is on the page and still empty.
func (a *arranger) pin(p Pin) {
	place := p.Place - 1
	if place < 0 || place >= len(a.order) || a.order[place] >= 0 {
		return
	}
	for i, r := range a.ranked {
		if a.state[i] != waiting || !p.Take(r.Item) {
			continue
		}
		if by, same := a.same(i); same {
			a.drop(i, by)
			continue
		}
		a.take(place, i)
		if a.Note != nil {
			a.Note(i, upnext.Decision{Rule: "slot", Action: Pinned, Detail: p.Slot})
		}
		return
	}
}
