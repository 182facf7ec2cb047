package shelf

import (
	"math"
	"slices"

	"upnext"
)

// Version is that of the latest change that was applied.
func (s *Shelf) Version() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.version
}

// Added grows whenever an id comes to the shelf that was not on it.
func (s *Shelf) Added() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.added
}

// Names are the ids by Ord, of what was deleted too. Callers must not change it.
func (s *Shelf) Names() []upnext.ItemID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.names[:len(s.names):len(s.names)]
}

// Len is how many items there are.
func (s *Shelf) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live
}

// Item returns one item, nil where it is not on the shelf.
func (s *Shelf) Item(id upnext.ItemID) *Item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(id)
}

// Items returns the items of ids, in their order, nil for what is not there.
func (s *Shelf) Items(ids []upnext.ItemID) []*Item {
	items := make([]*Item, len(ids))
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i, id := range ids {
		items[i] = s.get(id)
	}
	return items
}

// Hinted is Items where an index has given each id a hint (index.Hit): it spares
// looking most of them up. A hint that is out of date costs nothing else.
func (s *Shelf) Hinted(ids []upnext.ItemID, hints []uint32) []*Item {
	items := make([]*Item, len(ids))
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i, id := range ids {
		hint := int32(min(hints[i], math.MaxInt32))
		if ord := s.hints.Get(hint) - 1; ord >= 0 && s.names[ord] == id {
			items[i] = s.items[ord]
		} else if ord, ok := s.ords[id]; ok {
			items[i] = s.items[ord]
			if hint > 0 && hint < mostHint {
				s.hints.Set(hint, ord+1)
			}
		}
	}
	return items
}

// mostHint bounds what a wild hint can make the shelf hold.
const mostHint = 1 << 26

func (s *Shelf) get(id upnext.ItemID) *Item {
	if ord, ok := s.ords[id]; ok {
		return s.items[ord]
	}
	return nil
}

// ByOrd appends to into the items of ords, leaving out what is not there.
func (s *Shelf) ByOrd(into []*Item, ords ...int32) []*Item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, ord := range ords {
		if it := s.items[ord]; it != nil {
			into = append(into, it)
		}
	}
	return into
}

// At returns the items of ords, in their order, nil for what is not there.
func (s *Shelf) At(ords []int32) []*Item {
	items := make([]*Item, len(ords))
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i, ord := range ords {
		if ord >= 0 && int(ord) < len(s.items) {
			items[i] = s.items[ord]
		}
	}
	return items
}

// Current reports whether each of items is still what the shelf holds.
func (s *Shelf) Current(items []*Item) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, it := range items {
		if s.items[it.Ord] != it {
			return false
		}
	}
	return true
}

// Newest returns all items, the latest published first and then those without
// a date, by id. Callers must not change it.
func (s *Shelf) Newest() []*Item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.newest
}

// By returns a creator's items, newest first.
func (s *Shelf) By(creator string) []*Item {
	s.mu.RLock()
	items := make([]*Item, 0, len(s.makers[creator]))
	for _, ord := range s.makers[creator] {
		items = append(items, s.items[ord])
	}
	s.mu.RUnlock()
	slices.SortFunc(items, newer)
	return items
}

// Knows reports whether an item is one of the shelf's, or was: its place bears
// its id. One that was made up elsewhere is not.
func (s *Shelf) Knows(it *Item) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return it.Ord >= 0 && int(it.Ord) < len(s.names) && s.names[it.Ord] == it.Item.ID
}
