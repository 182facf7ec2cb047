package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"upnext"
	"upnext/index"
)

// Delete removes items from the catalogue and every collection, and returns
// how many there were. When it returns no search finds them.
func (p *Pipeline) Delete(ctx context.Context, t upnext.Tenant, ids ...upnext.ItemID) (int, error) {
	deleted := 0
	for chunk := range slices.Chunk(ids, 500) {
		n, err := p.delete(ctx, t, chunk)
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("delete %d items: %w", len(ids), err)
		}
	}
	if deleted > 0 && p.OnChange != nil {
		p.OnChange(t)
	}
	return deleted, nil
}

// delete goes backwards along the path of an item: what stops it in between
// leaves a whole item in the catalogue, pending, and the delete not acknowledged.
func (p *Pipeline) delete(ctx context.Context, t upnext.Tenant, ids []upnext.ItemID) (int, error) {
	collections, err := p.Collections.List(ctx, t)
	if err != nil {
		return 0, err
	}
	names := make([]string, len(collections))
	for i, info := range collections {
		names[i] = info.Name
	}
	unlock, err := p.landings(ctx, t, names)
	if err != nil {
		return 0, err
	}
	defer unlock()
	records, err := p.Catalog.Get(ctx, t, ids...)
	if err != nil {
		return 0, err
	}
	for _, info := range collections {
		marks := make([]upnext.Indexing, len(records))
		for i, r := range records {
			marks[i] = upnext.Indexing{Item: r.Item.ID, Collection: info.Name}
		}
		if err := p.Indexings.Mark(ctx, t, marks...); err != nil {
			return 0, err
		}
		if err := p.unindex(ctx, t, info, ids); err != nil {
			return 0, err
		}
	}
	return p.Catalog.Delete(ctx, t, ids...)
}

func (p *Pipeline) unindex(ctx context.Context, t upnext.Tenant, info index.Info, ids []upnext.ItemID) error {
	in, err := p.Collections.Create(ctx, t, info.Name, info.Spec)
	if errors.Is(err, upnext.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return in.Delete(ctx, ids...)
}
