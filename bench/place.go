package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"upnext"
	"upnext/index"
)

// Place is where a server finds its data.
type Place struct {
	Catalog        upnext.Catalog
	Understandings upnext.Understandings
	Indexings      upnext.Indexings
	Events         upnext.Events
	Index          index.Index // of World.Dim components, promoted
	Name           string      // of the collection
}

// How much one call writes.
const (
	itemsAtOnce  = 2000
	eventsAtOnce = 5000
)

// Put writes the world: items with what is believed of them and with their
// vectors, marked as indexed so that the server has nothing to make up for, then
// what viewers did. tell is told how many more items and viewers are done.
//
// It is the one step that no user takes: the stores and the index are written as
// an import writes them, but no encoder reads the items. Their vectors are made
// up, which takes minutes of an encoder's work off each bench and none off what
// is measured.
func (w *World) Put(ctx context.Context, t upnext.Tenant, to Place, tell func(done int)) error {
	for from := 0; from < w.Items; from += itemsAtOnce {
		n := min(itemsAtOnce, w.Items-from)
		if err := w.putItems(ctx, t, to, from, n); err != nil {
			return fmt.Errorf("items from %d on: %w", from, err)
		}
		tell(n)
	}
	var events []upnext.Event
	told := 0
	for v := range w.Viewers {
		events = append(events, w.History(v)...)
		if len(events) < eventsAtOnce && v+1 < w.Viewers {
			continue
		}
		if _, err := to.Events.Append(ctx, t, events...); err != nil {
			return fmt.Errorf("events up to viewer %d: %w", v, err)
		}
		events = events[:0]
		tell(v + 1 - told)
		told = v + 1
	}
	return nil
}

func (w *World) putItems(ctx context.Context, t upnext.Tenant, to Place, from, n int) error {
	records, entries, marks := make([]upnext.Record, n), make([]index.Entry, n), make([]upnext.Indexing, n)
	beliefs := make(map[upnext.ItemID]upnext.Understanding, n)
	for i := range n {
		it := w.Item(from + i)
		beliefs[it.ID] = w.Understanding(from + i)
		records[i] = upnext.Record{Item: it, Hash: "bench-" + strconv.FormatUint(w.Seed, 10) + string(it.ID), Understanding: beliefs[it.ID]}
		entries[i] = index.Entry{ID: it.ID, Vector: w.Vector(from + i), Fields: records[i].Fields()}
		marks[i] = upnext.Indexing{Item: it.ID, Collection: to.Name, Hash: records[i].Hash, At: time.Now(), Text: "done", Image: "none"}
	}
	if _, err := to.Catalog.Put(ctx, t, records...); err != nil {
		return err
	}
	if err := to.Understandings.Believe(ctx, t, beliefs); err != nil {
		return err
	}
	if err := to.Index.Upsert(ctx, entries...); err != nil {
		return err
	}
	return to.Indexings.Mark(ctx, t, marks...)
}
