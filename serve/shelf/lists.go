package shelf

import (
	"cmp"
	"slices"
	"strings"

	"upnext"
)

// lists are the small parts of the catalogue that sources walk: what is live
// now, and the episodes of each series. They are kept with every change, so
// that no request looks through the catalogue for them. The shelf's lock is
// theirs.
type lists struct {
	live   []*Item            // newest first: see newer
	row    *Streams           // live, in a row of memory; nil where it must be made anew
	series map[string][]*Item // by series, in the order of airing: see airing
}

func (l *lists) add(it *Item) {
	if isLive(it) {
		l.live, l.row = insert(l.live, it, newer), nil
	}
	if s := it.Item.SeriesID; s != "" {
		if l.series == nil {
			l.series = map[string][]*Item{}
		}
		l.series[s] = insert(l.series[s], it, airing)
	}
}

func (l *lists) remove(it *Item) {
	if isLive(it) {
		l.live, l.row = extract(l.live, it, newer), nil
	}
	if s := it.Item.SeriesID; s != "" {
		if l.series[s] = extract(l.series[s], it, airing); len(l.series[s]) == 0 {
			delete(l.series, s)
		}
	}
}

// isLive reports whether an item is a live stream whose owner says that its
// room is on.
func isLive(it *Item) bool { return it.Item.Kind == "live" && it.Item.RoomState == upnext.RoomOn }

// airing orders the items of a series by their episode; what has none comes
// first. Ties go to the one published earlier, then by id.
func airing(a, b *Item) int {
	return cmp.Or(cmp.Compare(a.Item.Episode, b.Item.Episode),
		a.Item.PublishedAt.Compare(b.Item.PublishedAt), strings.Compare(string(a.Item.ID), string(b.Item.ID)))
}

// insert and extract return the list changed; readers hold the former one.
func insert(list []*Item, it *Item, order func(a, b *Item) int) []*Item {
	at, _ := slices.BinarySearchFunc(list, it, order)
	return slices.Concat(list[:at], []*Item{it}, list[at:])
}

func extract(list []*Item, it *Item, order func(a, b *Item) int) []*Item {
	at, ok := slices.BinarySearchFunc(list, it, order)
	if !ok {
		return list
	}
	return slices.Concat(list[:at], list[at+1:])
}

// Streams are the live streams as far as they are scored: a request looks at all
// of them, and items lie far apart.
type Streams struct {
	List []Stream           // the latest published first
	By   map[string][]int32 // places in List by creator, rising
}

// Stream is one of them.
type Stream struct {
	Ord    int32
	topics []int32
}

// Live returns the live streams that run now. Callers must not change them.
func (s *Shelf) Live() *Streams {
	s.mu.RLock()
	row := s.lists.row
	s.mu.RUnlock()
	if row != nil {
		return row
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lists.row == nil {
		s.lists.row = rowOf(s.lists.live)
	}
	return s.lists.row
}

func rowOf(live []*Item) *Streams {
	row := &Streams{List: make([]Stream, len(live)), By: map[string][]int32{}}
	var topics []int32 // of all of them, side by side
	for i, it := range live {
		from := len(topics)
		topics = append(topics, it.topics...)
		row.List[i] = Stream{it.Ord, topics[from:len(topics):len(topics)]}
		if c := it.Item.CreatorID; c != "" {
			row.By[c] = append(row.By[c], int32(i))
		}
	}
	return row
}

// After returns the items of a series that come after an episode, in the order
// of airing. Callers must not change it.
func (s *Shelf) After(series string, episode int) []*Item {
	s.mu.RLock()
	all := s.lists.series[series]
	s.mu.RUnlock()
	at, _ := slices.BinarySearchFunc(all, episode+1, func(it *Item, n int) int { return cmp.Compare(it.Item.Episode, n) })
	return all[at:]
}
