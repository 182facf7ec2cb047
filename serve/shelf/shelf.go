// Package shelf holds a tenant's catalogue in memory, as far as requests need
// it, so that answering one makes no query per item.
package shelf

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"unique"

	"upnext"
	"upnext/serve/dense"
)

// Item is one record on the shelf. It is immutable: a change of the record
// puts another Item in its place. What is read of every candidate stands first,
// side by side.
type Item struct {
	Ord     int32    // dense number of the id, for the life of the process
	Free    bool     // nothing in the record keeps it from anybody, nor from any time; false says nothing
	Content uint64   // equal for two items that say the same under two ids: see contentOf
	Topics  []string // what it is about, lower case: believed topics first, then tags; no repeats
	topics  []int32  // the numbers of Topics

	upnext.Record // without what no request reads: long texts, where it comes from, the evidence of beliefs
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
	seed    uint64 // of Item.Content
	ords    map[upnext.ItemID]int32
	items   []*Item         // by Ord; nil for what was deleted
	names   []upnext.ItemID // by Ord
	newest  []*Item         // what is there, newest first: see newer
	words   map[string][]posting
	makers  map[string][]int32 // by creator
	topics  map[string]int32   // the number of each topic that was ever there
	lists   lists
	hints   dense.Table // one plus the ord of an id, by what an index calls it
	version int64
	added   int64 // how often an id came to the shelf
	live    int
}

// page is how many records one read of the catalogue takes.
const page = 2000

// Follow reads the catalogue's changes up to now and applies them: one page while
// the next one is read. One caller at a time.
func (s *Shelf) Follow(ctx context.Context, t upnext.Tenant, catalog upnext.Catalog) error {
	type read struct {
		records []upnext.Record
		err     error
	}
	ask := func(after int64) <-chan read {
		answer := make(chan read, 1)
		go func() {
			records, err := catalog.Changes(ctx, t, after, page)
			answer <- read{records, err}
		}()
		return answer
	}
	for next := ask(s.Version()); next != nil; {
		got := <-next
		if got.err != nil {
			return fmt.Errorf("follow the catalogue: %w", got.err)
		}
		if next = nil; len(got.records) == page {
			next = ask(got.records[page-1].Version)
		}
		s.Apply(got.records...)
	}
	return nil
}

// Apply puts records on the shelf, in the order of their versions; a
// tombstone takes its item away.
func (s *Shelf) Apply(records ...upnext.Record) {
	if len(records) == 0 {
		return
	}
	fresh, words := make([]*Item, len(records)), make([][]term, len(records))
	s.mu.Lock()
	s.init(0)
	seed := s.seed
	s.mu.Unlock()
	for i, r := range records {
		fresh[i] = newItem(r, seed)
		words[i] = wordsOf(r.Item)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var edits []edit // of newest
	for i, it := range fresh {
		if old := s.replace(it, words[i]); old != nil {
			if at, ok := slices.BinarySearchFunc(s.newest, old, newer); ok && s.newest[at] == old { // else it came just now
				edits = append(edits, edit{at, nil})
			}
		}
		s.version = max(s.version, it.Version)
	}
	for _, it := range fresh {
		if !it.Deleted && s.items[it.Ord] == it { // else it has gone again
			at, _ := slices.BinarySearchFunc(s.newest, it, newer)
			edits = append(edits, edit{at, it})
		}
	}
	s.newest = edited(s.newest, edits)
}

// init makes the maps of an empty shelf.
func (s *Shelf) init(items int) {
	if s.ords == nil {
		s.seed = rand.Uint64()
		s.ords, s.words, s.makers, s.topics = make(map[upnext.ItemID]int32, items), map[string][]posting{}, map[string][]int32{}, map[string]int32{}
	}
}

// edit is a change of a list before one of its places: an item that comes in, or,
// where that is nil, the one of the place that leaves.
type edit struct {
	at   int
	item *Item
}

// edited returns a list in the order of newer changed, in one pass over it.
// Readers hold the former one.
func edited(list []*Item, edits []edit) []*Item {
	if len(edits) == 0 {
		return list
	}
	slices.SortFunc(edits, func(a, b edit) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.item != nil && b.item != nil:
			return newer(a.item, b.item)
		case a.item != nil: // what comes in before what leaves: that ends the place
			return -1
		default:
			return 1
		}
	})
	all, from := make([]*Item, 0, len(list)+len(edits)), 0
	for _, e := range edits {
		all, from = append(all, list[from:e.at]...), e.at
		if e.item != nil {
			all = append(all, e.item)
		} else {
			from++
		}
	}
	return append(all, list[from:]...)
}

// replace puts one item in the place of what was there, and returns that.
func (s *Shelf) replace(it *Item, words []term) (old *Item) {
	ord, known := s.ords[it.Item.ID]
	if !known {
		if it.Deleted {
			return nil
		}
		ord = int32(len(s.items))
		s.ords[it.Item.ID] = ord
		s.items, s.names = append(s.items, nil), append(s.names, it.Item.ID)
	}
	it.Ord = ord
	s.number(it)
	switch old = s.items[ord]; {
	case it.Deleted:
		if s.items[ord] = nil; old != nil {
			s.unlist(old)
			s.live--
		}
	case old == nil:
		s.items[ord] = it
		s.list(it, words)
		s.added++
		s.live++
	default:
		s.items[ord] = it
		s.relist(old, it, words)
	}
	return old
}

// newer orders by the time of publishing, newest first; what has none comes
// last, in the order of its id.
func newer(a, b *Item) int {
	return cmp.Or(b.Item.PublishedAt.Compare(a.Item.PublishedAt), strings.Compare(string(a.Item.ID), string(b.Item.ID)))
}

// newItem keeps of a record what requests need.
func newItem(r upnext.Record, seed uint64) *Item {
	content := contentOf(seed, r.Item)
	r.Item.Description, r.Item.Transcript, r.Item.Lyrics, r.Item.Comments = "", "", "", nil
	r.Hash, r.Source = "", ""
	intern(&r)
	it := &Item{Record: r, Content: content}
	it.derive()
	return it
}

// derive makes what follows from the record and is read in its place.
func (it *Item) derive() {
	it.Free = free(it.Record)
	n := len(it.Understanding.Topics) + len(it.Item.Tags)
	if n == 0 {
		return
	}
	it.Topics = make([]string, 0, n)
	add := func(v string) {
		if v = unique.Make(strings.ToLower(v)).Value(); !slices.Contains(it.Topics, v) {
			it.Topics = append(it.Topics, v)
		}
	}
	for _, l := range it.Understanding.Topics {
		add(l.Value)
	}
	for _, tag := range it.Item.Tags {
		add(tag)
	}
}

// intern has records share the texts that many of them have: each came from the
// catalogue as one of its own.
func intern(r *upnext.Record) {
	it, u := &r.Item, &r.Understanding
	it.Kind, it.Status = unique.Make(it.Kind).Value(), unique.Make(it.Status).Value()
	for _, s := range []*string{&it.Language, &it.CreatorID, &it.CreatorName, &it.SeriesID, &it.RoomState} {
		*s = unique.Make(*s).Value()
	}
	for _, list := range [][]string{it.Tags, it.Regions} {
		for i, s := range list {
			list[i] = unique.Make(s).Value()
		}
	}
	for _, list := range []*[]upnext.Label{&u.Topics, &u.Emotion, &u.Style, &u.Language, &u.Safety} {
		if len(*list) == 0 {
			*list = nil
			continue
		}
		own := make([]upnext.Label, len(*list)) // the caller's stay as they are
		for i, l := range *list {
			own[i] = upnext.Label{Value: unique.Make(l.Value).Value(), Confidence: l.Confidence, Model: unique.Make(l.Model).Value()}
		}
		*list = own
	}
}

// free reports whether nothing in a record keeps it from anybody at any time: as
// it is with most.
func free(r upnext.Record) bool {
	it := r.Item
	return !r.Deleted && (it.Status == "" || it.Status == upnext.Active) && it.Kind != "live" && it.AvailableFrom.IsZero() &&
		it.AvailableUntil.IsZero() && len(it.Regions) == 0 && it.MinAge == 0 && len(r.Understanding.Safety) == 0
}
