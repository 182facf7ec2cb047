package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"upnext"
)

// Schemas is the upnext.Schemas.
type Schemas struct{ db database }

var _ upnext.Schemas = (*Schemas)(nil)

type attributeRow struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Filterable bool   `json:"filterable,omitempty"`
	Boostable  bool   `json:"boostable,omitempty"`
	Embedded   bool   `json:"embedded,omitempty"`
}

// PutSchema implements upnext.Schemas.
func (s *Schemas) PutSchema(ctx context.Context, t upnext.Tenant, kind string, schema upnext.Schema) error {
	rows := make([]attributeRow, len(schema))
	for i, a := range schema {
		rows[i] = attributeRow{a.Name, string(a.Type), a.Filterable, a.Boostable, a.Embedded}
	}
	body, err := encode("schema "+kind, rows)
	if err != nil {
		return err
	}
	if err := checkColumns("tenant", string(t), "kind", kind); err != nil {
		return fmt.Errorf("put schema: %w", err)
	}
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO schemas (tenant, kind, body) VALUES ($1, $2, $3)
			ON CONFLICT (tenant, kind) DO UPDATE SET body = excluded.body`, string(t), kind, body)
		return err
	})
	if err != nil {
		return fmt.Errorf("put the schema of %s: %w", kind, err)
	}
	s.db.changed(t)
	return nil
}

// Schema implements upnext.Schemas.
func (s *Schemas) Schema(ctx context.Context, t upnext.Tenant, kind string) (upnext.Schema, error) {
	rows, err := one(ctx, s.db.read, func(rows *sql.Rows) ([]attributeRow, error) {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		return decode[[]attributeRow]("schema "+kind, body)
	}, `SELECT body FROM schemas WHERE tenant = $1 AND kind = $2`, string(t), kind)
	if errors.Is(err, upnext.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", kind, err)
	}
	var schema upnext.Schema
	for _, r := range rows {
		schema = append(schema, upnext.Attribute{
			Name: r.Name, Type: upnext.AttributeType(r.Type),
			Filterable: r.Filterable, Boostable: r.Boostable, Embedded: r.Embedded,
		})
	}
	return schema, nil
}
