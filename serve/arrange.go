package serve

import (
	"fmt"
	"maps"
	"slices"

	"upnext"
	"upnext/filter"
	"upnext/serve/rule"
	"upnext/serve/shelf"
)

// page says how the request's page is arranged: the settings' rules, as far as
// they go with what is asked for. A search is in the order of its matches unless
// the caller turns the dial.
func (r *Recommender) page(q *asked) rule.Page {
	set := &r.Settings.Rules
	p := rule.Page{
		Count: q.req.Count, Diversity: set.Diversity, Creators: set.Creators, Series: set.Series,
		Near: set.Duplicates.Cosine, Seen: q.known, Mix: q.viewer.state.Mix, Calibrate: set.Calibration.Weight, Pins: r.pins(q),
	}
	switch q.class {
	case classSearch:
		p.Diversity.Dial, p.Calibrate, p.Creators, p.Series = 0, 0, rule.Cap{}, rule.Cap{}
	case classSimilar:
		p.Diversity.Dial /= 2 // likeness is what was asked for
		p.Calibrate = 0
	case classPage:
		if len(q.viewer.state.Positive) == 0 {
			p.Diversity.Dial = max(p.Diversity.Dial, set.Diversity.Cold)
		}
	}
	if q.req.Diversity != nil {
		p.Diversity.Dial = *q.req.Diversity
	}
	return p
}

// knownItems are those that must not come again under another id: what similar
// ones are wanted for, and what the viewer has seen last, where seen items are
// left out. A search finds what there is.
func (r *Recommender) knownItems(q *asked) []rule.Known {
	var known []rule.Known
	for _, it := range q.ask.Like {
		known = append(known, rule.Known{Item: it})
	}
	if q.class == classSearch || q.guard.Seen == upnext.SeenNone {
		return known
	}
	most := r.Settings.Rules.Duplicates.Recent
	ids := make([]upnext.ItemID, 0, most)
	met := make(map[upnext.ItemID]bool, most)
	for _, a := range q.viewer.acts {
		if len(ids) == most || a.At.Before(q.guard.SeenSince) {
			break
		}
		if a.Item != "" && !met[a.Item] && (q.guard.Seen != upnext.SeenSession || a.Session == q.req.Session) {
			met[a.Item] = true
			ids = append(ids, a.Item)
		}
	}
	for _, it := range q.tenant.shelf.Items(ids) {
		if it != nil {
			known = append(known, rule.Known{Item: it})
		}
	}
	return known
}

// returned are the items of the pages before, of which nothing is known but their
// content: what has the same does not come under another id.
func (q *asked) returned() []rule.Known {
	known := make([]rule.Known, 0, len(q.guard.Returned))
	for _, it := range q.tenant.shelf.Items(slices.Collect(maps.Keys(q.guard.Returned))) {
		if it != nil {
			known = append(known, rule.Known{Item: it})
		}
	}
	return known
}

// pins are the slots of the settings that hold for the request. An expression
// that no longer fits the schema costs its slot, and the answer says so.
func (r *Recommender) pins(q *asked) []rule.Pin {
	var pins []rule.Pin
	for i := range r.Settings.Rules.Slots {
		s := &r.Settings.Rules.Slots[i]
		if !s.Active(q.req.Scenario, q.now) {
			continue
		}
		if take := q.takes(i, s); take != nil {
			name := s.Name
			if name == "" {
				name = fmt.Sprintf("place %d", s.Place)
			}
			pins = append(pins, rule.Pin{Slot: name, Place: s.Place, Take: take})
		}
	}
	return pins
}

// takes says which items may have a slot; nil where none can.
func (q *asked) takes(i int, s *rule.Slot) func(*shelf.Item) bool {
	if s.Item != "" {
		return func(it *shelf.Item) bool { return it.Item.ID == s.Item && q.guard.Pass(it) }
	}
	stage := fmt.Sprintf("slots[%d].if", i)
	f, err := q.tenant.filter(s.If, filter.Parse, stage)
	if err != nil {
		if !q.isDegraded(stage) {
			q.degrade(stage, err)
		}
		return nil
	}
	return func(it *shelf.Item) bool { return f.Match(it.Some(f.Uses()), q.guard.Vars) && q.guard.Pass(it) }
}
