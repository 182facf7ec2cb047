package shelf

import (
	"fmt"
	"io"
	"slices"
	"time"

	"upnext"
	"upnext/serve/packed"
)

// mostLoaded bounds the lists of a file, so that a damaged one does not take all
// memory.
const mostLoaded = 1 << 28

// Load puts on an empty shelf what Save has written. On an error it stays empty.
func (s *Shelf) Load(from io.Reader) error {
	l := &loading{r: packed.NewReader(from)}
	version, seed := packed.Single[int64](l.r), packed.Single[uint64](l.r)
	var items []*Item
	for n := packed.Single[int64](l.r); n > 0 && l.r.Err() == nil && l.err == nil; n -= savedAtOnce {
		part := l.records()
		if len(part) != int(min(n, savedAtOnce)) {
			l.fail("%d items in place of %d", len(part), min(n, savedAtOnce))
		}
		items = append(items, part...)
	}
	words, counts := packed.Strings[string](l.r, mostLoaded), packed.Numbers[int32](l.r, mostLoaded)
	of, weights := packed.Numbers[int32](l.r, mostLoaded), packed.Numbers[float32](l.r, mostLoaded)
	if err := l.r.Close(); err != nil {
		return fmt.Errorf("load the shelf: %w", err)
	}
	fits := len(words) == len(counts) && len(of) == len(weights) && total(counts) == len(of) &&
		!slices.ContainsFunc(of, func(i int32) bool { return i < 0 || int(i) >= len(items) })
	if l.err == nil && !fits {
		l.fail("words of %d and %d items", len(of), len(items))
	}
	if l.err != nil {
		return fmt.Errorf("load the shelf: %w", l.err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ords) > 0 {
		return fmt.Errorf("load the shelf: it has %d items: %w", len(s.ords), upnext.ErrConflict)
	}
	s.init(len(items))
	s.seed, s.version, s.live, s.added = seed, version, len(items), int64(len(items))
	s.items, s.names, s.newest = make([]*Item, len(items)), make([]upnext.ItemID, len(items)), make([]*Item, len(items))
	for i, it := range items {
		it.Ord = int32(i)
		s.ords[it.Item.ID], s.names[i], s.items[i], s.newest[i] = it.Ord, it.Item.ID, it, it
		s.number(it)
		s.enlist(it)
	}
	postings := make([]posting, len(of)) // one piece for all words
	for i := range of {
		postings[i] = posting{of[i], weights[i]}
	}
	for i, word := range words {
		n := counts[i]
		s.words[word], postings = postings[:n:n], postings[n:]
	}
	return nil
}

// loading is a file on its way to the shelf.
type loading struct {
	r   *packed.Reader
	err error
}

func (l *loading) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format+": %w", append(args, upnext.ErrInvalid)...)
	}
}

// fill gives each item its value of a column.
func fill[T any](l *loading, items []*Item, list []T, put func(*Item, T)) {
	if l.r.Err() != nil {
		return
	}
	if len(list) != len(items) {
		l.fail("a column of %d, %d items", len(list), len(items))
		return
	}
	for i, it := range items {
		put(it, list[i])
	}
}

func (l *loading) records() []*Item {
	ids := packed.Strings[upnext.ItemID](l.r, mostLoaded)
	items := make([]*Item, len(ids))
	var room []Item
	for i, id := range ids {
		if len(room) == 0 {
			room = make([]Item, 32) // few pieces, and few neighbours that one that stays keeps in memory
		}
		items[i], room = &room[0], room[1:]
		items[i].Item.ID = id
	}
	texts := func(put func(*Item, string)) { fill(l, items, packed.Strings[string](l.r, mostLoaded), put) }
	names := func(put func(*Item, string)) { fill(l, items, packed.Named[string](l.r, mostLoaded), put) }
	ints := func(put func(*Item, int64)) { fill(l, items, packed.Numbers[int64](l.r, mostLoaded), put) }
	names(func(it *Item, v string) { it.Item.Kind = upnext.Kind(v) })
	texts(func(it *Item, v string) { it.Item.Title = v })
	names(func(it *Item, v string) { it.Item.Language = v })
	names(func(it *Item, v string) { it.Item.CreatorID = v })
	names(func(it *Item, v string) { it.Item.CreatorName = v })
	names(func(it *Item, v string) { it.Item.SeriesID = v })
	names(func(it *Item, v string) { it.Item.Status = upnext.Status(v) })
	names(func(it *Item, v string) { it.Item.RoomState = v })
	texts(func(it *Item, v string) { it.Item.Thumbnail = v })
	texts(func(it *Item, v string) { it.Item.CommentKey = v })
	ints(func(it *Item, v int64) { it.Item.Episode = int(v) })
	ints(func(it *Item, v int64) { it.Item.Duration = time.Duration(v) })
	ints(func(it *Item, v int64) { it.Item.MinAge = int(v) })
	for _, of := range []func(*Item) *time.Time{
		func(it *Item) *time.Time { return &it.Item.PublishedAt }, func(it *Item) *time.Time { return &it.Item.AvailableFrom },
		func(it *Item) *time.Time { return &it.Item.AvailableUntil }, func(it *Item) *time.Time { return &it.UpdatedAt },
		func(it *Item) *time.Time { return &it.Understanding.At },
	} {
		ints(func(it *Item, v int64) { *of(it) = time.UnixMicro(v).UTC() })
	}
	ints(func(it *Item, v int64) { it.Version = v })
	fill(l, items, packed.Numbers[uint64](l.r, mostLoaded), func(it *Item, v uint64) { it.Content = v })
	l.lists(items, func(it *Item, v []string) { it.Item.Tags = v })
	l.lists(items, func(it *Item, v []string) { it.Item.Regions = v })
	for n := range labelLists {
		l.labels(items, n)
	}
	l.attributes(items)
	if l.r.Err() == nil && l.err == nil {
		for _, it := range items {
			it.derive()
		}
	}
	return items
}

// each hands every item the next so many of n.
func (l *loading) each(items []*Item, counts []int32, n int, give func(it *Item, from, to int)) {
	if l.r.Err() != nil || l.err != nil {
		return
	}
	if len(counts) != len(items) || total(counts) != n {
		l.fail("%d elements of %d items, %d of them counted", n, len(items), total(counts))
		return
	}
	from := 0
	for i, it := range items {
		to := from + int(counts[i])
		if to > from { // what is empty stays nil, as the catalogue has it
			give(it, from, to)
		}
		from = to
	}
}

func (l *loading) lists(items []*Item, put func(*Item, []string)) {
	counts, all := packed.Numbers[int32](l.r, mostLoaded), packed.Named[string](l.r, mostLoaded)
	l.each(items, counts, len(all), func(it *Item, from, to int) { put(it, all[from:to:to]) })
}

func (l *loading) labels(items []*Item, n int) {
	counts := packed.Numbers[int32](l.r, mostLoaded)
	values, models := packed.Named[string](l.r, mostLoaded), packed.Named[string](l.r, mostLoaded)
	confidences := packed.Numbers[float64](l.r, mostLoaded)
	if len(values) != len(models) || len(values) != len(confidences) {
		l.fail("%d values, %d models, %d confidences", len(values), len(models), len(confidences))
		return
	}
	all := make([]upnext.Label, len(values))
	for i := range all {
		all[i] = upnext.Label{Value: values[i], Model: models[i], Confidence: confidences[i]}
	}
	l.each(items, counts, len(all), func(it *Item, from, to int) { *labelsOf(&it.Understanding, n) = all[from:to:to] })
}

// takes is a list that is read from the front.
type takes[T any] struct{ rest []T }

func (t *takes[T]) take(l *loading, n int) []T {
	if n < 0 || n > len(t.rest) {
		l.fail("attributes are cut short")
		return make([]T, max(0, min(n, 1)))
	}
	taken := t.rest[:n:n]
	t.rest = t.rest[n:]
	return taken
}

func (l *loading) attributes(items []*Item) {
	counts, names, types := packed.Numbers[int32](l.r, mostLoaded), packed.Named[string](l.r, mostLoaded), packed.Numbers[int32](l.r, mostLoaded)
	texts := takes[string]{packed.Named[string](l.r, mostLoaded)}
	lengths := takes[int32]{packed.Numbers[int32](l.r, mostLoaded)}
	numbers, times := takes[float64]{packed.Numbers[float64](l.r, mostLoaded)}, takes[int64]{packed.Numbers[int64](l.r, mostLoaded)}
	if l.r.Err() == nil && len(types) != len(names) {
		l.fail("%d attributes of %d types", len(names), len(types))
	}
	l.each(items, counts, len(names), func(it *Item, from, to int) {
		it.Item.Attributes = make(map[string]any, to-from)
		for i := from; i < to && l.err == nil; i++ {
			var v any
			switch types[i] {
			case textAttribute:
				v = texts.take(l, 1)[0]
			case numberAttribute:
				v = numbers.take(l, 1)[0]
			case boolAttribute:
				v = numbers.take(l, 1)[0] != 0
			case timeAttribute:
				v = time.UnixMicro(times.take(l, 1)[0]).UTC()
			case listAttribute:
				v = texts.take(l, int(lengths.take(l, 1)[0]))
			default:
				l.fail("an attribute of type %d", types[i])
			}
			it.Item.Attributes[names[i]] = v
		}
	})
}

// total is what counts count; below 0 where one is below 0.
func total(counts []int32) (n int) {
	for _, c := range counts {
		if c < 0 {
			return -1
		}
		n += int(c)
	}
	return n
}
