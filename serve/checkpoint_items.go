package serve

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"upnext"
	"upnext/serve/shelf"
)

// itemsHead says what a saved shelf is of.
type itemsHead struct {
	Format int
	Known  []knownRecord // some of its records: another catalogue has others
}

// knownRecord is a record as it was.
type knownRecord struct {
	ID      upnext.ItemID
	Version int64
	At      time.Time
}

// knownRecords is how many of the latest records, and how many others, tell a
// catalogue from another.
const knownRecords = 16

// resumeItems takes the shelf of the last checkpoint, if it is of this catalogue:
// what has changed since is read after. The caller holds following.
func (r *Recommender) resumeItems(ctx context.Context, tn *tenant) error {
	if r.Checkpoints == nil || tn.shelf.Version() > 0 {
		return nil
	}
	return resume(ctx, r, tn, itemsPart, func(head itemsHead) error { return r.itemsHold(ctx, tn, head) }, func(from io.Reader, _ itemsHead) error {
		err := tn.shelf.Load(from)
		tn.savedVersion = tn.shelf.Version()
		return err
	})
}

// itemsHold reports why a saved shelf is of no use; nil where it is. Of the records
// that it knows, one at least must be as it was, and none older: a database that
// was put back to a former state has the numbers of its changes again.
func (r *Recommender) itemsHold(ctx context.Context, tn *tenant, head itemsHead) error {
	if head.Format != checkpointFormat {
		return fmt.Errorf("it is of another version: %w", upnext.ErrConflict)
	}
	was, ids := map[upnext.ItemID]knownRecord{}, make([]upnext.ItemID, len(head.Known))
	for i, k := range head.Known {
		was[k.ID], ids[i] = k, k.ID
	}
	now, err := r.Catalog.Get(ctx, tn.name, ids...)
	if err != nil {
		return err
	}
	unchanged := 0
	for _, rec := range now {
		switch k := was[rec.Item.ID]; {
		case rec.Version < k.Version, rec.Version == k.Version && !rec.UpdatedAt.Equal(k.At):
			return fmt.Errorf("it is of another catalogue: item %s: %w", k.ID, upnext.ErrConflict)
		case rec.Version == k.Version:
			unchanged++
		}
	}
	if unchanged == 0 {
		return fmt.Errorf("none of %d items is as it was: %w", len(ids), upnext.ErrConflict)
	}
	return nil
}

// saveItems saves the shelf, unless it is as it was the last time.
func (r *Recommender) saveItems(ctx context.Context, tn *tenant) error {
	version := tn.shelf.Version()
	if version == tn.savedVersion || tn.shelf.Len() == 0 {
		return nil
	}
	all := slices.Clone(tn.shelf.Newest())
	head := itemsHead{Format: checkpointFormat}
	for i := 0; i < len(all); i += len(all)/knownRecords + 1 {
		head.Known = append(head.Known, recordOf(all[i]))
	}
	slices.SortFunc(all, func(a, b *shelf.Item) int { return cmp.Compare(b.Version, a.Version) })
	for _, it := range all[:min(len(all), knownRecords)] {
		head.Known = append(head.Known, recordOf(it))
	}
	if err := r.keepPart(ctx, tn, itemsPart, head, tn.shelf.Save); err != nil {
		return err
	}
	tn.savedVersion = version
	return nil
}

func recordOf(it *shelf.Item) knownRecord { return knownRecord{it.Item.ID, it.Version, it.UpdatedAt} }
