package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"upnext"
)

// Indexings is the upnext.Indexings.
type Indexings struct{ db database }

var _ upnext.Indexings = (*Indexings)(nil)

// Mark implements upnext.Indexings.
func (x *Indexings) Mark(ctx context.Context, t upnext.Tenant, done ...upnext.Indexing) error {
	if len(done) == 0 {
		return nil
	}
	// One order for all who mark at once; of the same mark twice the later stays.
	done = slices.Clone(done)
	slices.SortStableFunc(done, func(a, b upnext.Indexing) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Collection, b.Collection))
	})
	for _, d := range done {
		if err := checkColumns("tenant", string(t), "item id", string(d.Item), "collection", d.Collection, "hash", d.Hash); err != nil {
			return fmt.Errorf("mark: %w", err)
		}
	}
	err := x.db.update(ctx, func(tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, `
			INSERT INTO indexings (tenant, item, collection, hash, at, text, image) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (tenant, item, collection) DO UPDATE SET
				hash = excluded.hash, at = excluded.at, text = excluded.text, image = excluded.image`)
		if err != nil {
			return err
		}
		defer func() { _ = stmt.Close() }() // ends with the transaction anyway
		for _, d := range done {
			_, err := stmt.ExecContext(ctx, string(t), string(d.Item), d.Collection, d.Hash, micros(d.At),
				clean(d.Text), clean(d.Image))
			if err != nil {
				return fmt.Errorf("item %s in %s: %w", d.Item, d.Collection, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark %d items as indexed: %w", len(done), err)
	}
	return nil
}

// unmark forgets an item's way into every collection.
func unmark(ctx context.Context, tx *sql.Tx, t upnext.Tenant, id string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM indexings WHERE tenant = $1 AND item = $2`, string(t), id)
	return err
}

// Get implements upnext.Indexings.
func (x *Indexings) Get(ctx context.Context, t upnext.Tenant, collection string, ids ...upnext.ItemID) ([]upnext.Indexing, error) {
	found := make(map[upnext.ItemID]upnext.Indexing, len(ids))
	for chunk := range slices.Chunk(ids, maxIn) {
		all, err := query(ctx, x.db.read, scanIndexing, `SELECT item, collection, hash, at, text, image FROM indexings
			WHERE tenant = $1 AND collection = $2 AND item IN (`+placeholders(3, len(chunk))+`)`,
			idArgs(chunk, string(t), collection)...)
		if err != nil {
			return nil, fmt.Errorf("marks of %d items in %s: %w", len(ids), collection, err)
		}
		for _, m := range all {
			found[m.Item] = m
		}
	}
	marks := make([]upnext.Indexing, 0, len(found))
	for _, id := range ids {
		if m, ok := found[id]; ok {
			marks = append(marks, m)
		}
	}
	return marks, nil
}

func scanIndexing(rows *sql.Rows) (upnext.Indexing, error) {
	var m upnext.Indexing
	var item string
	var at int64
	err := rows.Scan(&item, &m.Collection, &m.Hash, &at, &m.Text, &m.Image)
	m.Item, m.At = upnext.ItemID(item), fromMicros(at)
	return m, err
}

// Pending implements upnext.Indexings.
func (x *Indexings) Pending(ctx context.Context, t upnext.Tenant, collection string, after upnext.ItemID, limit int) ([]upnext.ItemID, error) {
	ids, err := query(ctx, x.db.read, func(rows *sql.Rows) (upnext.ItemID, error) {
		var id string
		err := rows.Scan(&id)
		return upnext.ItemID(id), err
	}, `SELECT i.id FROM items i
		WHERE i.tenant = $1 AND i.id > $3 AND i.deleted = 0 AND NOT EXISTS (
			SELECT 1 FROM indexings x
			WHERE x.tenant = i.tenant AND x.item = i.id AND x.collection = $2 AND x.hash = i.hash)
		ORDER BY i.id LIMIT $4`, string(t), collection, string(after), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("items pending in %s: %w", collection, err)
	}
	return ids, nil
}
