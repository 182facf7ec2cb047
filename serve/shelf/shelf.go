// Package shelf holds a tenant's catalogue in memory, as far as requests need
// it, so that answering one makes no query per item.
package shelf

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"upnext"
)

// Item is one record on the shelf. It is immutable: a change of the record
// puts another Item in its place.
type Item struct {
	upnext.Record          // without its long text: description, transcript, lyrics, comments
	Ord           int32    // dense number of the id, for the life of the process
	Content       uint64   // equal for two items that say the same under two ids: see contentOf
	Topics        []string // what it is about, lower case: believed topics first, then tags; no repeats

	words  map[string]float32 // of title, creator and tags, by the weight of their field
	fields atomic.Pointer[upnext.Fields]
}

// FilterFields returns the record's Fields, made once. Callers must not
// change them.
func (it *Item) FilterFields() upnext.Fields {
	if f := it.fields.Load(); f != nil {
		return *f
	}
	f := it.Fields()
	it.fields.Store(&f)
	return f
}

// Language returns the item's language as given, else as detected, else "".
func (it *Item) Language() string {
	if it.Item.Language == "" && len(it.Understanding.Language) > 0 {
		return it.Understanding.Language[0].Value
	}
	return it.Item.Language
}

// About reports whether topic is among the item's topics and tags, in any case.
func (it *Item) About(topic string) bool {
	return slices.Contains(it.Topics, strings.ToLower(topic))
}

// Shelf is the records of one tenant. The zero value is empty and usable. It
// is safe for concurrent use: readers hold its lock only while they copy
// pointers.
type Shelf struct {
	mu      sync.RWMutex
	ords    map[upnext.ItemID]int32
	items   []*Item // by Ord; nil for what was deleted
	newest  []*Item // what is there, newest first: see newer
	words   map[string][]posting
	makers  map[string][]int32 // by creator
	lists   lists
	version int64
	added   int64 // how often an id came to the shelf
	live    int
}

// page is how many records one read of the catalogue takes.
const page = 1000

// Follow reads the catalogue's changes up to now and applies them. One caller
// at a time.
func (s *Shelf) Follow(ctx context.Context, t upnext.Tenant, catalog upnext.Catalog) error {
	for {
		records, err := catalog.Changes(ctx, t, s.Version(), page)
		if err != nil {
			return fmt.Errorf("follow the catalogue: %w", err)
		}
		s.Apply(records...)
		if len(records) < page {
			return nil
		}
	}
}

// Apply puts records on the shelf, in the order of their versions; a
// tombstone takes its item away.
func (s *Shelf) Apply(records ...upnext.Record) {
	if len(records) == 0 {
		return
	}
	fresh := make([]*Item, len(records))
	for i, r := range records {
		fresh[i] = newItem(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ords == nil {
		s.ords, s.words, s.makers = map[upnext.ItemID]int32{}, map[string][]posting{}, map[string][]int32{}
	}
	bulk := len(records) > len(s.newest)/20 // then one sort is cheaper than many insertions
	for _, it := range fresh {
		s.replace(it, bulk)
		s.version = max(s.version, it.Version)
	}
	if bulk {
		s.newest = make([]*Item, 0, s.live) // readers hold the former
		for _, it := range s.items {
			if it != nil {
				s.newest = append(s.newest, it)
			}
		}
		slices.SortFunc(s.newest, newer)
	}
}

// replace puts one item in the place of what was there.
func (s *Shelf) replace(it *Item, bulk bool) {
	ord, known := s.ords[it.Item.ID]
	if !known {
		if it.Deleted {
			return
		}
		ord = int32(len(s.items))
		s.ords[it.Item.ID] = ord
		s.items = append(s.items, nil)
	}
	it.Ord = ord
	if old := s.items[ord]; old != nil {
		s.unlist(old)
		s.live--
		if at, ok := slices.BinarySearchFunc(s.newest, old, newer); ok && !bulk {
			// Readers hold the slice: it is replaced, never changed in place.
			s.newest = slices.Concat(s.newest[:at], s.newest[at+1:])
		}
	} else if !it.Deleted {
		s.added++
	}
	s.items[ord] = nil
	if it.Deleted {
		return
	}
	s.items[ord] = it
	s.list(it)
	s.live++
	if !bulk {
		at, _ := slices.BinarySearchFunc(s.newest, it, newer)
		s.newest = slices.Concat(s.newest[:at], []*Item{it}, s.newest[at:])
	}
}

// newer orders by the time of publishing, newest first; what has none comes
// last, in the order of its id.
func newer(a, b *Item) int {
	return cmp.Or(b.Item.PublishedAt.Compare(a.Item.PublishedAt), strings.Compare(string(a.Item.ID), string(b.Item.ID)))
}

// newItem keeps of a record what requests need.
func newItem(r upnext.Record) *Item {
	content := contentOf(r.Item)
	r.Item.Description, r.Item.Transcript, r.Item.Lyrics, r.Item.Comments = "", "", "", nil
	it := &Item{Record: r, Content: content}
	for _, list := range [][]string{upnext.Values(r.Understanding.Topics), r.Item.Tags} {
		for _, v := range list {
			if v = strings.ToLower(v); !slices.Contains(it.Topics, v) {
				it.Topics = append(it.Topics, v)
			}
		}
	}
	it.words = wordsOf(r.Item)
	return it
}
