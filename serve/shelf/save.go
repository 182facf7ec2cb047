package shelf

import (
	"io"
	"math"
	"slices"
	"time"

	"upnext"
	"upnext/serve/packed"
)

// Save writes the shelf, so that Load has it again without asking the catalogue for
// more than what has changed since. Readers and Apply go on meanwhile: what is
// written is of one moment.
func (s *Shelf) Save(to io.Writer) error {
	s.mu.RLock()
	version, seed, items := s.version, s.seed, s.newest
	place := make([]int32, len(s.items)) // by ord: the item's place in items
	for i, it := range items {
		place[it.Ord] = int32(i)
	}
	words := make([]string, 0, len(s.words))
	var counts, of []int32
	var weights []float32
	for word, list := range s.words {
		words, counts = append(words, word), append(counts, int32(len(list)))
		for _, p := range list {
			of, weights = append(of, place[p.ord]), append(weights, p.weight)
		}
	}
	s.mu.RUnlock()
	w := packed.NewWriter(to)
	packed.One(w, version)
	packed.One(w, seed)
	packed.One(w, int64(len(items)))
	for part := range slices.Chunk(items, savedAtOnce) {
		saveRecords(w, part)
	}
	packed.Texts(w, words)
	packed.List(w, counts)
	packed.List(w, of)
	packed.List(w, weights)
	return w.Close()
}

// savedAtOnce is how many items' columns lie side by side: all at once would take as
// much memory again as the items do.
const savedAtOnce = 4096

// column writes one field of items.
func column[T any](items []*Item, of func(*Item) T, write func([]T)) {
	list := make([]T, len(items))
	for i, it := range items {
		list[i] = of(it)
	}
	write(list)
}

func micros(t time.Time) int64 { return t.UnixMicro() }

func saveRecords(w *packed.Writer, items []*Item) {
	texts := func(of func(*Item) string) { column(items, of, func(l []string) { packed.Texts(w, l) }) }
	names := func(of func(*Item) string) { column(items, of, func(l []string) { packed.Names(w, l) }) }
	ints := func(of func(*Item) int64) { column(items, of, func(l []int64) { packed.List(w, l) }) }
	texts(func(it *Item) string { return string(it.Item.ID) })
	names(func(it *Item) string { return string(it.Item.Kind) })
	texts(func(it *Item) string { return it.Item.Title })
	names(func(it *Item) string { return it.Item.Language })
	names(func(it *Item) string { return it.Item.CreatorID })
	names(func(it *Item) string { return it.Item.CreatorName })
	names(func(it *Item) string { return it.Item.SeriesID })
	names(func(it *Item) string { return string(it.Item.Status) })
	names(func(it *Item) string { return it.Item.RoomState })
	texts(func(it *Item) string { return it.Item.Thumbnail })
	texts(func(it *Item) string { return it.Item.CommentKey })
	ints(func(it *Item) int64 { return int64(it.Item.Episode) })
	ints(func(it *Item) int64 { return int64(it.Item.Duration) })
	ints(func(it *Item) int64 { return int64(it.Item.MinAge) })
	for _, of := range []func(*Item) time.Time{
		func(it *Item) time.Time { return it.Item.PublishedAt }, func(it *Item) time.Time { return it.Item.AvailableFrom },
		func(it *Item) time.Time { return it.Item.AvailableUntil }, func(it *Item) time.Time { return it.UpdatedAt },
		func(it *Item) time.Time { return it.Understanding.At },
	} {
		ints(func(it *Item) int64 { return micros(of(it)) })
	}
	ints(func(it *Item) int64 { return it.Version })
	column(items, func(it *Item) uint64 { return it.Content }, func(l []uint64) { packed.List(w, l) })
	for _, of := range []func(*Item) []string{func(it *Item) []string { return it.Item.Tags }, func(it *Item) []string { return it.Item.Regions }} {
		saveLists(w, items, of)
	}
	for n := range labelLists {
		saveLabels(w, items, n)
	}
	saveAttributes(w, items)
}

func saveLists(w *packed.Writer, items []*Item, of func(*Item) []string) {
	counts := make([]int32, len(items))
	var all []string
	for i, it := range items {
		counts[i] = int32(len(of(it)))
		all = append(all, of(it)...)
	}
	packed.List(w, counts)
	packed.Names(w, all)
}

// labelLists is how many lists an Understanding has.
const labelLists = 5

func labelsOf(u *upnext.Understanding, n int) *[]upnext.Label {
	return [labelLists]*[]upnext.Label{&u.Topics, &u.Emotion, &u.Style, &u.Language, &u.Safety}[n]
}

func saveLabels(w *packed.Writer, items []*Item, n int) {
	counts := make([]int32, len(items))
	var values, models []string
	var confidences []float64
	for i, it := range items {
		labels := *labelsOf(&it.Understanding, n)
		counts[i] = int32(len(labels))
		for _, l := range labels {
			values, models, confidences = append(values, l.Value), append(models, l.Model), append(confidences, l.Confidence)
		}
	}
	packed.List(w, counts)
	packed.Names(w, values)
	packed.Names(w, models)
	packed.List(w, confidences)
}

// The types of attributes, as they are saved.
const (
	textAttribute = int32(iota)
	numberAttribute
	boolAttribute
	timeAttribute
	listAttribute
)

func saveAttributes(w *packed.Writer, items []*Item) {
	counts := make([]int32, len(items))
	var names, texts []string
	var types, lengths []int32 // lengths: of lists
	var numbers []float64
	var times []int64
	for i, it := range items {
		counts[i] = int32(len(it.Item.Attributes))
		for name, v := range it.Item.Attributes {
			names = append(names, name)
			switch v := v.(type) {
			case string:
				types, texts = append(types, textAttribute), append(texts, v)
			case float64:
				types, numbers = append(types, numberAttribute), append(numbers, v)
			case bool:
				number := 0.0
				if v {
					number = 1
				}
				types, numbers = append(types, boolAttribute), append(numbers, number)
			case time.Time:
				types, times = append(types, timeAttribute), append(times, micros(v))
			case []string:
				types, lengths, texts = append(types, listAttribute), append(lengths, int32(len(v))), append(texts, v...)
			default: // no store gives any other
				types, numbers = append(types, numberAttribute), append(numbers, math.NaN())
			}
		}
	}
	packed.List(w, counts)
	packed.Names(w, names)
	packed.List(w, types)
	packed.Names(w, texts)
	packed.List(w, lengths)
	packed.List(w, numbers)
	packed.List(w, times)
}
