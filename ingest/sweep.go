package ingest

import (
	"context"
	"fmt"

	"upnext"
)

// Sweep finishes what an interruption left undone: items in the catalogue that
// are not searchable become so, and what the index still has of items that are
// gone is removed. Then the collection of the present Space is promoted. It
// runs at the start and may be repeated at any time; it costs what is undone,
// and one pass over the ids of the index.
func (p *Pipeline) Sweep(ctx context.Context, t upnext.Tenant) error {
	b := &batch{tenant: t}
	if err := p.open(ctx, b); err != nil {
		return fmt.Errorf("sweep %s: %w", t, err)
	}
	if err := p.refill(ctx, b); err != nil {
		return fmt.Errorf("sweep %s: %w", t, err)
	}
	if err := p.purge(ctx, b); err != nil {
		return fmt.Errorf("sweep %s: %w", t, err)
	}
	active, _, err := p.Collections.Active(ctx, t)
	if err == nil && active != b.collection {
		err = p.Collections.Promote(ctx, t, b.collection)
	}
	if err != nil {
		return fmt.Errorf("sweep %s: %w", t, err)
	}
	return nil
}

// refill takes pending items the rest of their way.
func (p *Pipeline) refill(ctx context.Context, b *batch) error {
	after := upnext.ItemID("")
	for {
		ids, err := p.Indexings.Pending(ctx, b.tenant, b.collection, after, batchSize)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := p.again(ctx, b, ids, vectors); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// Refresh brings what filters see of items up to date with the catalogue,
// after a person corrected an Understanding. Vectors stay as they are.
func (p *Pipeline) Refresh(ctx context.Context, t upnext.Tenant, ids ...upnext.ItemID) error {
	b := &batch{tenant: t}
	err := p.open(ctx, b)
	if err == nil {
		err = p.again(ctx, b, ids, fields)
	}
	if err != nil {
		return fmt.Errorf("refresh %d items: %w", len(ids), err)
	}
	return nil
}

// again sends items of the catalogue through the stages that they need.
func (p *Pipeline) again(ctx context.Context, b *batch, ids []upnext.ItemID, n need) error {
	records, err := p.Catalog.Get(ctx, b.tenant, ids...)
	if err != nil {
		return err
	}
	marks, err := p.Indexings.Get(ctx, b.tenant, b.collection, ids...)
	if err != nil {
		return err
	}
	marked := map[upnext.ItemID]upnext.Indexing{}
	for _, m := range marks {
		marked[m.Item] = m
	}
	b.works = b.works[:0]
	for _, r := range records {
		m := marked[r.Item.ID]
		w := &work{item: r.Item, hash: r.Hash, need: n, textMark: m.Text, imageMark: m.Image}
		if m.Hash != r.Hash {
			w.need = vectors // it is pending: its vector is not of these words
		}
		b.works = append(b.works, w)
	}
	if err := p.reuse(ctx, b); err != nil {
		return err
	}
	return p.advance(ctx, b)
}

// purge removes from the index what the catalogue no longer has.
func (p *Pipeline) purge(ctx context.Context, b *batch) error {
	var some []upnext.ItemID
	for id, err := range b.index.All(ctx) {
		if err != nil {
			return err
		}
		if some = append(some, id); len(some) == 500 {
			if err := p.purgeSome(ctx, b, some); err != nil {
				return err
			}
			some = nil
		}
	}
	return p.purgeSome(ctx, b, some)
}

func (p *Pipeline) purgeSome(ctx context.Context, b *batch, ids []upnext.ItemID) error {
	if len(ids) == 0 {
		return nil
	}
	p.landing.Lock()
	defer p.landing.Unlock()
	records, err := p.Catalog.Get(ctx, b.tenant, ids...)
	if err != nil {
		return err
	}
	alive := make(map[upnext.ItemID]bool, len(records))
	for _, r := range records {
		alive[r.Item.ID] = true
	}
	var gone []upnext.ItemID
	for _, id := range ids {
		if !alive[id] {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	p.Logger.Info("removed stale entries from the index", "collection", b.collection, "items", len(gone))
	return b.index.Delete(ctx, gone...)
}
