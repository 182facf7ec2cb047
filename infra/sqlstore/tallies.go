package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"upnext"
)

var _ upnext.Tenants = (*Catalog)(nil)

// Indexed implements upnext.Indexings.
func (x *Indexings) Indexed(ctx context.Context, t upnext.Tenant, collection string, after upnext.ItemID, limit int) ([]upnext.ItemID, error) {
	ids, err := query(ctx, x.db.read, func(rows *sql.Rows) (upnext.ItemID, error) {
		var id string
		err := rows.Scan(&id)
		return upnext.ItemID(id), err
	}, `SELECT item FROM indexings WHERE tenant = $1 AND item > $3 AND collection = $2 AND at <> $5
		ORDER BY item LIMIT $4`, string(t), collection, string(after), max(limit, 0), micros(time.Time{}))
	if err != nil {
		return nil, fmt.Errorf("items indexed in %s: %w", collection, err)
	}
	return ids, nil
}

// Tally implements upnext.Indexings. It reads the whole of both tables' keys:
// some seconds where there are millions of items.
func (x *Indexings) Tally(ctx context.Context, t upnext.Tenant, collection string) (upnext.Tally, error) {
	n, err := one(ctx, x.db.read, func(rows *sql.Rows) (upnext.Tally, error) {
		var n upnext.Tally
		err := rows.Scan(&n.Items, &n.Searchable, &n.Bare)
		return n, err
	}, `SELECT count(*), count(CASE WHEN x.at <> $3 THEN 1 END), count(CASE WHEN x.at = $3 THEN 1 END)
		FROM items i LEFT JOIN indexings x ON x.tenant = i.tenant AND x.item = i.id AND x.collection = $2 AND x.hash = i.hash
		WHERE i.tenant = $1 AND i.deleted = 0`, string(t), collection, micros(time.Time{}))
	if err != nil {
		return upnext.Tally{}, fmt.Errorf("count the items in %s: %w", collection, err)
	}
	return n, nil
}

// Forget implements upnext.Indexings.
func (x *Indexings) Forget(ctx context.Context, t upnext.Tenant, collection string) error {
	err := x.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM indexings WHERE tenant = $1 AND collection = $2`, string(t), collection)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget the marks of %s: %w", collection, err)
	}
	return nil
}

// Tenants implements upnext.Tenants: whoever wrote an item has a counter of versions.
func (c *Catalog) Tenants(ctx context.Context) ([]upnext.Tenant, error) {
	tenants, err := query(ctx, c.db.read, func(rows *sql.Rows) (upnext.Tenant, error) {
		var t string
		err := rows.Scan(&t)
		return upnext.Tenant(t), err
	}, `SELECT tenant FROM counters WHERE name = $1 ORDER BY tenant`, catalogCounter)
	if err != nil {
		return nil, fmt.Errorf("list the tenants: %w", err)
	}
	return tenants, nil
}
