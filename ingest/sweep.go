package ingest

import (
	"context"
	"errors"
	"fmt"

	"upnext"
)

// Sweep makes the collections agree with the catalogue: items in the catalogue
// that are not searchable become so, those among them that an index has lost
// are embedded again, and what an index still has of items that are gone is
// removed. A collection that Next fills is compared alone: Upgrade fills it.
// Then, where requests are answered from a collection that has no encoders any
// more, the main one is promoted.
//
// It may run at any time, by several processes, one after the other. It costs
// what is undone, and one pass over the ids of each index and its marks.
func (p *Pipeline) Sweep(ctx context.Context, t upnext.Tenant) error {
	unlock, err := p.lock(ctx, "sweep/%s", t)
	if err != nil {
		return fmt.Errorf("sweep %s: %w", t, err)
	}
	defer unlock()
	for _, l := range p.lanes() {
		b := &batch{tenant: t, lane: l}
		e := p.open(ctx, b)
		if e == nil {
			e = p.agree(ctx, b)
		}
		if e == nil && l.main {
			e = p.refill(ctx, b)
		}
		if e == nil && l.main {
			e = p.settle(ctx, b)
		}
		if e != nil {
			// One collection that cannot be reached is no reason to leave the other.
			err = errors.Join(err, fmt.Errorf("sweep %s: collection %s: %w", t, l.Space.Name(), e))
		}
	}
	return err
}

// finish takes pending items of the main collection the rest of their way.
func (p *Pipeline) finish(ctx context.Context, t upnext.Tenant) error {
	unlock, err := p.lock(ctx, "sweep/%s", t)
	if err != nil {
		return fmt.Errorf("finish items of %s: %w", t, err)
	}
	defer unlock()
	b := &batch{tenant: t, lane: p.lanes()[0]}
	if err = p.open(ctx, b); err == nil {
		err = p.refill(ctx, b)
	}
	if err != nil {
		return fmt.Errorf("finish items of %s: %w", t, err)
	}
	return nil
}

// settle promotes the main collection, unless another one that can be asked is
// promoted: whoever did that wants it.
func (p *Pipeline) settle(ctx context.Context, b *batch) error {
	active, _, err := p.Collections.Active(ctx, b.tenant)
	if err != nil {
		return err
	}
	for _, l := range p.lanes() {
		if l.Space.Name() == active {
			return nil
		}
	}
	p.Logger.Info("collection promoted", "tenant", b.tenant, "collection", b.collection, "former", active)
	return p.Collections.Promote(ctx, b.tenant, b.collection)
}

// refill takes pending items the rest of their way.
func (p *Pipeline) refill(ctx context.Context, b *batch) error {
	after, moved := upnext.ItemID(""), false
	for {
		ids, err := p.Indexings.Pending(ctx, b.tenant, b.collection, after, batchSize)
		if err == nil && len(ids) > 0 {
			err = p.againApart(ctx, b, ids)
			moved = true
		}
		if err != nil || len(ids) == 0 {
			if moved && p.OnChange != nil {
				p.OnChange(b.tenant)
			}
			return err
		}
		after = ids[len(ids)-1]
	}
}

// againApart is again, and where the items together cannot be taken, each by
// itself: one that no encoder takes shall not keep the others from it. Which
// stay is logged.
func (p *Pipeline) againApart(ctx context.Context, b *batch, ids []upnext.ItemID) error {
	err := p.again(ctx, b, ids, nil)
	if err == nil || ctx.Err() != nil || errors.Is(err, upnext.ErrUnavailable) {
		return err
	}
	for _, id := range ids {
		err := p.again(ctx, b, []upnext.ItemID{id}, nil)
		if err != nil && (ctx.Err() != nil || errors.Is(err, upnext.ErrUnavailable)) {
			return err
		}
		if err != nil {
			p.Logger.Error("an item cannot be indexed", "tenant", b.tenant, "collection", b.collection, "item", id, "error", err)
		}
	}
	return nil
}

// Refresh brings what filters see of items up to date with the catalogue,
// after a person corrected an Understanding. Vectors stay as they are.
func (p *Pipeline) Refresh(ctx context.Context, t upnext.Tenant, ids ...upnext.ItemID) error {
	b := &batch{tenant: t, lane: p.lanes()[0]}
	err := p.open(ctx, b)
	if err == nil {
		err = p.again(ctx, b, ids, nil)
	}
	if err = p.follow(ctx, b, err); err != nil {
		return fmt.Errorf("refresh %d items: %w", len(ids), err)
	}
	return nil
}

// again sends items of the catalogue through the stages that they need: of
// those whose vectors are of the present words (sound knows of some that are
// not marked so) the columns alone.
func (p *Pipeline) again(ctx context.Context, b *batch, ids []upnext.ItemID, sound map[upnext.ItemID]bool) error {
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
		w := &work{item: r.Item, hash: r.Hash, need: fields, textMark: m.Text, imageMark: m.Image}
		if m.Hash != r.Hash && !sound[r.Item.ID] {
			w.need = vectors // it is pending: its vector is not of these words
		}
		b.works = append(b.works, w)
	}
	if err := p.reuse(ctx, b); err != nil {
		return err
	}
	return p.advance(ctx, b)
}
