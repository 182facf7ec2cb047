package ingest

import (
	"context"
	"hash/maphash"
	"slices"
	"time"

	"upnext"
)

// idsAtOnce is how many ids are compared together.
const idsAtOnce = 500

// there is which ids an index has, eight bytes for each, so that millions fit
// in memory. Two ids of one hash could hide a lost item until the next time,
// which has another seed: among a million, once in 30 million times.
type there struct {
	seed   maphash.Seed
	hashes []uint64
}

func (t *there) add(id upnext.ItemID) {
	t.hashes = append(t.hashes, maphash.String(t.seed, string(id)))
}

// has may be asked once all were added and sorted.
func (t *there) has(id upnext.ItemID) bool {
	_, ok := slices.BinarySearch(t.hashes, maphash.String(t.seed, string(id)))
	return ok
}

// agree compares a collection with the catalogue and the marks, both ways: it
// removes what the catalogue no longer has, and what is marked and not there
// becomes pending, as after the loss of an index's files.
func (p *Pipeline) agree(ctx context.Context, b *batch) error {
	has := there{seed: maphash.MakeSeed()}
	var some []upnext.ItemID
	for id, err := range b.index.All(ctx) {
		if err != nil {
			return err
		}
		has.add(id)
		if some = append(some, id); len(some) == idsAtOnce {
			if err := p.purge(ctx, b, some); err != nil {
				return err
			}
			some = nil
		}
	}
	if err := p.purge(ctx, b, some); err != nil {
		return err
	}
	slices.Sort(has.hashes)
	lost := 0
	for after := upnext.ItemID(""); ; {
		ids, err := p.Indexings.Indexed(ctx, b.tenant, b.collection, after, idsAtOnce)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			break
		}
		after = ids[len(ids)-1]
		if ids = slices.DeleteFunc(ids, has.has); len(ids) == 0 {
			continue
		}
		n, err := p.unmark(ctx, b, ids)
		if err != nil {
			return err
		}
		lost += n
	}
	if lost > 0 {
		p.Logger.Warn("the index has lost entries: they are embedded again", "tenant", b.tenant, "collection", b.collection, "items", lost)
	}
	return nil
}

// unmark makes pending those of ids that are marked and not in the index. It
// looks again, under the lock: some may just have come in.
func (p *Pipeline) unmark(ctx context.Context, b *batch, ids []upnext.ItemID) (int, error) {
	unlock, err := p.landing(ctx, b.tenant, b.collection)
	if err != nil {
		return 0, err
	}
	defer unlock()
	vectors, err := b.index.Vectors(ctx, ids...)
	if err != nil {
		return 0, err
	}
	var lost []upnext.ItemID
	for i, v := range vectors {
		if v == nil {
			lost = append(lost, ids[i])
		}
	}
	marks, err := p.Indexings.Get(ctx, b.tenant, b.collection, lost...)
	if err != nil {
		return 0, err
	}
	marks = slices.DeleteFunc(marks, func(m upnext.Indexing) bool { return m.At.IsZero() })
	for i := range marks {
		marks[i].Hash, marks[i].At = "", time.Time{}
	}
	return len(marks), p.Indexings.Mark(ctx, b.tenant, marks...)
}

// purge removes those of ids from the index that the catalogue no longer has.
func (p *Pipeline) purge(ctx context.Context, b *batch, ids []upnext.ItemID) error {
	if len(ids) == 0 {
		return nil
	}
	unlock, err := p.landing(ctx, b.tenant, b.collection)
	if err != nil {
		return err
	}
	defer unlock()
	records, err := p.Catalog.Get(ctx, b.tenant, ids...)
	if err != nil {
		return err
	}
	alive := make(map[upnext.ItemID]bool, len(records))
	for _, r := range records {
		alive[r.Item.ID] = true
	}
	gone := slices.DeleteFunc(ids, func(id upnext.ItemID) bool { return alive[id] })
	if len(gone) == 0 {
		return nil
	}
	p.Logger.Info("removed stale entries from the index", "collection", b.collection, "items", len(gone))
	return b.index.Delete(ctx, gone...)
}
