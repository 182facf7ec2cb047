package taste

import (
	"upnext"
	"upnext/serve/shelf"
)

// about returns what an act with a scope names, as it names it.
func (a Act) about() string {
	switch a.Scope {
	case upnext.ScopeItem:
		return string(a.Item)
	case upnext.ScopeCreator:
		return a.Creator
	}
	return a.Topic
}

// wish says whether an act is about what is to come, not something done with
// the item: it is not seen by it.
func (a Act) wish() bool {
	return a.Kind == upnext.Unmute || a.Kind == upnext.Pin || a.Kind == upnext.Unpin
}

// against says whether an act says that its item is not wanted.
func (a Act) against() bool {
	return a.Scope == upnext.ScopeItem && (a.Kind == upnext.NotInterested || a.Kind == upnext.Block || a.Kind == upnext.Mute)
}

// wants are the subjects of which the newest word was met: whether they are
// unwanted, and whether they are pinned.
type wants struct{ avoided, pinned map[upnext.Subject]bool }

func newWants() wants { return wants{map[upnext.Subject]bool{}, map[upnext.Subject]bool{}} }

// decide takes in an act about a subject; acts come newest first. Pinning ends
// a mute, muting ends a pin; unmute and unpin end their own alone.
func (w wants) decide(s *State, a Act) {
	value := a.about()
	on := upnext.SubjectOf(a.Scope, value)
	if value == "" {
		return
	}
	if a.Kind != upnext.Unpin && !w.avoided[on] {
		w.avoided[on] = true
		if a.Kind != upnext.Unmute && a.Kind != upnext.Pin {
			s.avoid(on, upnext.Aversion{Scope: a.Scope, Value: value, Kind: a.Kind, At: a.At})
		}
	}
	if a.Kind != upnext.Unmute && !w.pinned[on] {
		w.pinned[on] = true
		if a.Kind == upnext.Pin {
			s.Pinned[on] = upnext.Pinned{Scope: a.Scope, Value: value, At: a.At}
		}
	}
}

func (s *State) avoid(on upnext.Subject, what upnext.Aversion) {
	switch on.Scope {
	case upnext.ScopeItem:
		s.Items[upnext.ItemID(on.Value)] = what
	case upnext.ScopeCreator:
		s.Creators[on.Value] = what
	case upnext.ScopeTopic:
		s.Topics[on.Value] = what
	}
}

// pinItems gives pinned items the weight of a like that does not fade, also
// those on which nothing was done lately.
func (s *State) pinItems(order []*tally, tallies map[*shelf.Item]*tally, sh *shelf.Shelf, set Settings) []*tally {
	for on, pin := range s.Pinned {
		if on.Scope != upnext.ScopeItem {
			continue
		}
		it := sh.Item(upnext.ItemID(on.Value))
		if it == nil {
			s.holes = true
			continue
		}
		t := tallies[it]
		if t == nil {
			t = &tally{item: it, at: pin.At}
			tallies[it] = t
			order = append(order, t) // in any order: what is made of it is sorted
			s.read = append(s.read, it)
		}
		t.pinned, t.liked = set.Weights[upnext.Like], true
	}
	return order
}

// pinOthers makes pinned creators as dear as followed ones and more, and
// pinned topics as dear as the dearest.
func (s *State) pinOthers(set Settings) {
	dearest := 1.0
	for _, w := range s.ToTopic {
		dearest = max(dearest, w)
	}
	for on := range s.Pinned {
		switch on.Scope {
		case upnext.ScopeCreator:
			s.ToCreator[on.Value] = max(s.ToCreator[on.Value], 0) + set.Weights[upnext.Follow] + set.Weights[upnext.Like]
		case upnext.ScopeTopic:
			s.ToTopic[on.Value] = dearest
		}
	}
}
