package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"upnext"
)

// Catalog is the upnext.Catalog.
type Catalog struct{ db database }

var _ upnext.Catalog = (*Catalog)(nil)

// catalogCounter names the counter of a tenant's versions.
const catalogCounter = "catalog"

// putRow is a record on its way in.
type putRow struct {
	id, source, hash, digest, body string
	only                           *int64
}

// Put implements upnext.Catalog. A record that differs in its Source alone is
// Updated: the import that holds it now is the one that may take it away.
func (c *Catalog) Put(ctx context.Context, t upnext.Tenant, records ...upnext.Record) ([]upnext.PutStatus, error) {
	rows := make([]putRow, len(records))
	for i, r := range records {
		body, err := encodeItem(r.Item)
		if err != nil {
			return nil, fmt.Errorf("put: %w", err)
		}
		if err := checkColumns("item id", string(r.Item.ID), "source", r.Source, "hash", r.Hash); err != nil {
			return nil, fmt.Errorf("put: %w", err)
		}
		rows[i] = putRow{string(r.Item.ID), r.Source, r.Hash, digest(r.Source, r.Hash, body), body, r.Only}
	}
	statuses, err := c.put(ctx, t, rows)
	if err != nil {
		return nil, fmt.Errorf("put %d items: %w", len(records), err)
	}
	return statuses, nil
}

func (c *Catalog) put(ctx context.Context, t upnext.Tenant, rows []putRow) ([]upnext.PutStatus, error) {
	statuses := make([]upnext.PutStatus, len(rows))
	// A second import of the same objects takes no writer and no sync.
	before, err := c.standing(ctx, c.db.read, t, rows)
	if err == nil {
		err = demanded(rows, before)
	}
	if err != nil || compare(rows, before, statuses) == 0 {
		return statuses, err
	}
	err = c.db.update(ctx, func(tx *sql.Tx) error {
		version, err := bump(ctx, tx, t, catalogCounter, len(rows)) // first: it keeps other writers out
		if err != nil {
			return err
		}
		before, err := c.standing(ctx, tx, t, rows)
		if err == nil {
			err = demanded(rows, before)
		}
		if err != nil {
			return err
		}
		tombs := map[string]bool{}
		for id, s := range before {
			if s.deleted {
				tombs[id] = true
			}
		}
		compare(rows, before, statuses)
		return write(ctx, tx, t, rows, statuses, tombs, version)
	})
	if err == nil {
		c.db.changed(t)
	}
	return statuses, err
}

// standing is what Put finds of an item.
type standing struct {
	id, digest string
	version    int64
	deleted    bool
}

// demanded checks the rows' conditions against what is there.
func demanded(rows []putRow, before map[string]standing) error {
	for _, r := range rows {
		version := before[r.id].version
		if before[r.id].deleted {
			version = 0
		}
		if r.only != nil && *r.only != version {
			return fmt.Errorf("item %s: stands at version %d, not %d: %w", r.id, version, *r.only, upnext.ErrConflict)
		}
	}
	return nil
}

func (c *Catalog) standing(ctx context.Context, q querier, t upnext.Tenant, rows []putRow) (map[string]standing, error) {
	found := make(map[string]standing, len(rows))
	for chunk := range slices.Chunk(rows, maxIn) {
		args := []any{string(t)}
		for _, r := range chunk {
			args = append(args, r.id)
		}
		all, err := query(ctx, q, func(rows *sql.Rows) (standing, error) {
			var s standing
			err := rows.Scan(&s.id, &s.digest, &s.version, &s.deleted)
			return s, err
		}, `SELECT id, digest, version, deleted FROM items WHERE tenant = $1 AND id IN (`+placeholders(2, len(chunk))+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			found[s.id] = s
		}
	}
	return found, nil
}

// compare fills in what Put does with each row, in turn, and counts those that
// it writes. It changes before as the rows do: an id may come twice.
func compare(rows []putRow, before map[string]standing, statuses []upnext.PutStatus) int {
	writes := 0
	for i, r := range rows {
		b, ok := before[r.id]
		switch {
		case !ok || b.deleted:
			statuses[i] = upnext.Created
		case b.digest == r.digest:
			statuses[i] = upnext.Unchanged
			continue
		default:
			statuses[i] = upnext.Updated
		}
		writes++
		before[r.id] = standing{id: r.id, digest: r.digest}
	}
	return writes
}

func write(ctx context.Context, tx *sql.Tx, t upnext.Tenant, rows []putRow, statuses []upnext.PutStatus,
	tombs map[string]bool, version int64) error {
	stmt, err := tx.PrepareContext(ctx, `
		INSERT INTO items (tenant, id, version, deleted, source, hash, digest, updated_at, believed, said, body)
		VALUES ($1, $2, $3, 0, $4, $5, $6, $7, '', '', $8)
		ON CONFLICT (tenant, id) DO UPDATE SET version = excluded.version, deleted = 0, source = excluded.source,
			hash = excluded.hash, digest = excluded.digest, updated_at = excluded.updated_at, body = excluded.body`)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }() // ends with the transaction anyway
	now := micros(time.Now())
	for i, r := range rows {
		if statuses[i] == upnext.Unchanged {
			continue
		}
		_, err := stmt.ExecContext(ctx, string(t), r.id, version+int64(i), r.source, r.hash, r.digest, now, r.body)
		if err != nil {
			return fmt.Errorf("item %s: %w", r.id, err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(tombs)) { // the order in which Mark takes the rows
		// A mark that work in flight left after the delete would hide the new item from Pending.
		if err := unmark(ctx, tx, t, id); err != nil {
			return fmt.Errorf("item %s: %w", id, err)
		}
	}
	return nil
}

// Get implements upnext.Catalog.
func (c *Catalog) Get(ctx context.Context, t upnext.Tenant, ids ...upnext.ItemID) ([]upnext.Record, error) {
	found := make(map[upnext.ItemID]upnext.Record, len(ids))
	for chunk := range slices.Chunk(ids, maxIn) {
		all, err := query(ctx, c.db.read, scanRecord, `SELECT `+recordColumns+` FROM items
			WHERE tenant = $1 AND deleted = 0 AND id IN (`+placeholders(2, len(chunk))+`)`, idArgs(chunk, string(t))...)
		if err != nil {
			return nil, fmt.Errorf("get %d items: %w", len(ids), err)
		}
		for _, r := range all {
			found[r.Item.ID] = r
		}
	}
	records := make([]upnext.Record, 0, len(found))
	for _, id := range ids {
		if r, ok := found[id]; ok {
			records = append(records, r)
		}
	}
	return records, nil
}

// idArgs returns a statement's arguments: first, then the ids.
func idArgs(ids []upnext.ItemID, first ...any) []any {
	for _, id := range ids {
		first = append(first, string(id))
	}
	return first
}

// Delete implements upnext.Catalog. What was believed and said of the items
// and their marks go too; a later item of the same id starts anew.
func (c *Catalog) Delete(ctx context.Context, t upnext.Tenant, ids ...upnext.ItemID) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	for _, id := range ids {
		if err := checkColumns("item id", string(id)); err != nil {
			return 0, fmt.Errorf("delete: %w", err)
		}
	}
	unmarked := slices.Sorted(slices.Values(ids)) // the order in which Mark takes the rows
	deleted := 0
	err := c.db.update(ctx, func(tx *sql.Tx) error {
		deleted = 0
		version, err := bump(ctx, tx, t, catalogCounter, len(ids))
		if err != nil {
			return err
		}
		now := micros(time.Now())
		for i, id := range ids {
			res, err := tx.ExecContext(ctx, `
				UPDATE items SET version = $3, deleted = 1, source = '', hash = '', digest = '', updated_at = $4,
					believed = '', said = '', body = ''
				WHERE tenant = $1 AND id = $2 AND deleted = 0`, string(t), string(id), version+int64(i), now)
			if err != nil {
				return fmt.Errorf("item %s: %w", id, err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			deleted += int(n)
		}
		for _, id := range unmarked {
			if err := unmark(ctx, tx, t, string(id)); err != nil {
				return fmt.Errorf("item %s: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("delete %d items: %w", len(ids), err)
	}
	c.db.changed(t)
	return deleted, nil
}

// List implements upnext.Catalog.
func (c *Catalog) List(ctx context.Context, t upnext.Tenant, source string, after upnext.ItemID, limit int) ([]upnext.Record, error) {
	text, args := `SELECT `+recordColumns+` FROM items
		WHERE tenant = $1 AND id > $2 AND deleted = 0 ORDER BY id LIMIT $3`, []any{string(t), string(after), max(limit, 0)}
	if source != "" {
		text, args = `SELECT `+recordColumns+` FROM items
			WHERE tenant = $1 AND id > $2 AND deleted = 0 AND source = $4 ORDER BY id LIMIT $3`, append(args, source)
	}
	records, err := query(ctx, c.db.read, scanRecord, text, args...)
	if err != nil {
		return nil, fmt.Errorf("list items after %q: %w", after, err)
	}
	return records, nil
}

// Changes implements upnext.Catalog.
func (c *Catalog) Changes(ctx context.Context, t upnext.Tenant, after int64, limit int) ([]upnext.Record, error) {
	records, err := query(ctx, c.db.read, scanRecord, `SELECT `+recordColumns+` FROM items
		WHERE tenant = $1 AND version > $2 ORDER BY version LIMIT $3`, string(t), after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("changes after version %d: %w", after, err)
	}
	return records, nil
}
