// Package rule holds the rules of a page: what may never be shown, and how
// the rest is arranged.
package rule

import (
	"slices"
	"time"

	"upnext"
	"upnext/filter"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// Guard says what may be shown to one viewer in one request. It is the last
// word on every item of every answer. Safe for concurrent use once made.
type Guard struct {
	Now    time.Time
	Region string // ISO 3166; where it is not known, items bound to regions are not shown
	Age    int    // the greatest MinAge that may be shown

	Safety   *Safety // nil: no label matters
	Scenario string  // where the answer is shown, as Safety's rows name it

	Viewer      *taste.State
	Items       map[upnext.ItemID]bool // excluded by the request
	Creators    map[string]bool        // excluded by the request
	Returned    map[upnext.ItemID]bool // under the same recommendation before, or in another row of the page
	Served      map[upnext.ItemID]bool // within the rotation
	Seen        upnext.SeenScope       // which seen items are left out
	SeenSince   time.Time              // those seen before do not count; zero: ever
	SeenInVisit map[upnext.ItemID]bool // what was seen in the session, for SeenSession
	Resumed     map[upnext.ItemID]bool // begun items that are shown to be gone on with: having been seen does not hold for them
	Filter      *filter.Filter
	Vars        filter.Vars
	Lapsed      func(upnext.ItemID) bool // a live stream that has ceased to give signs of life; nil: none has
}

// Cause is why an item may not be shown; empty where it may.
type Cause string

// The causes, in the order in which they are looked for.
const (
	Gone          Cause = "gone"           // not in the catalogue
	Inactive      Cause = "inactive"       // hidden or blocked by its owner
	Ended         Cause = "ended"          // a live stream whose room is off
	NotYet        Cause = "not_yet"        // before available_from
	Expired       Cause = "expired"        // after available_until
	Region        Cause = "region"         // not allowed where the viewer is
	Age           Cause = "age"            // the viewer is too young, or may be
	Unsafe        Cause = "unsafe"         // a safety label keeps it from this viewer, or from everybody
	Excluded      Cause = "excluded"       // by the request
	Returned      Cause = "returned"       // under the same recommendation before
	Unwanted      Cause = "unwanted"       // the viewer blocked, muted or dislikes the item
	UnwantedMaker Cause = "unwanted_maker" // or its creator
	UnwantedTopic Cause = "unwanted_topic" // or one of its topics or tags
	AlreadySeen   Cause = "seen"
	Served        Cause = "served"   // in this scenario, within its rotation
	Filtered      Cause = "filtered" // fails the request's filter
)

// Cause returns the first thing that speaks against showing the item; nil is
// one that is gone.
func (g *Guard) Cause(it *shelf.Item) Cause {
	if it == nil {
		return Gone
	}
	if !it.Free {
		if c := g.barred(it); c != "" {
			return c
		}
	}
	id, creator := it.Item.ID, it.Item.CreatorID
	switch {
	case g.Items[id] || creator != "" && g.Creators[creator]:
		return Excluded
	case g.Returned[id]:
		return Returned
	}
	if c := g.unwanted(it); c != "" {
		return c
	}
	switch {
	case g.seen(id) && !g.Resumed[id]:
		return AlreadySeen
	case g.Served[id] && !g.Resumed[id]:
		return Served
	case g.Filter != nil && !g.Filter.Match(it.Some(g.Filter.Uses()), g.Vars):
		return Filtered
	}
	return ""
}

// barred is what in the record speaks against showing the item.
func (g *Guard) barred(it *shelf.Item) Cause {
	switch {
	case it.Deleted:
		return Gone
	case it.Item.Status != "" && it.Item.Status != upnext.Active:
		return Inactive
	case it.Item.Kind == "live" && (it.Item.RoomState == upnext.RoomOff || g.Lapsed != nil && g.Lapsed(it.Item.ID)):
		return Ended
	case !it.Item.AvailableFrom.IsZero() && g.Now.Before(it.Item.AvailableFrom):
		return NotYet
	case !it.Item.AvailableUntil.IsZero() && !g.Now.Before(it.Item.AvailableUntil):
		return Expired
	case len(it.Item.Regions) > 0 && !slices.Contains(it.Item.Regions, g.Region):
		return Region
	case it.Item.MinAge > g.Age:
		return Age
	case g.unsafe(it):
		return Unsafe
	}
	return ""
}

// Pass reports whether an item may be shown.
func (g *Guard) Pass(it *shelf.Item) bool { return g.Cause(it) == "" }

func (g *Guard) unsafe(it *shelf.Item) bool {
	if len(it.Understanding.Safety) == 0 { // as most are
		return false
	}
	treatment, _ := g.Safety.Of(it, g.Scenario, g.Age, g.Region)
	return treatment == Drop
}

// Blur returns the safety label on account of which an item that passes is
// shown behind a warning; empty where it is shown as it is.
func (g *Guard) Blur(it *shelf.Item) string {
	if treatment, label := g.Safety.Of(it, g.Scenario, g.Age, g.Region); treatment == Blur {
		return label
	}
	return ""
}

func (g *Guard) unwanted(it *shelf.Item) Cause {
	if _, ok := g.Viewer.Items[it.Item.ID]; ok {
		return Unwanted
	}
	if c := it.Item.CreatorID; c != "" {
		if _, ok := g.Viewer.Creators[c]; ok {
			return UnwantedMaker
		}
	}
	if len(g.Viewer.Topics) > 0 {
		for _, topic := range it.Topics {
			if _, ok := g.Viewer.Topics[topic]; ok {
				return UnwantedTopic
			}
		}
	}
	return ""
}

func (g *Guard) seen(id upnext.ItemID) bool {
	switch g.Seen {
	case upnext.SeenNone:
		return false
	case upnext.SeenSession:
		return g.SeenInVisit[id]
	}
	at, ok := g.Viewer.Seen[id]
	return ok && !at.Before(g.SeenSince)
}
