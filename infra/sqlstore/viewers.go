package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"upnext"
)

// Viewers is the upnext.Viewers.
type Viewers struct{ db database }

var _ upnext.Viewers = (*Viewers)(nil)

type viewerRow struct {
	Locale     string              `json:"locale,omitempty"`
	Region     string              `json:"region,omitempty"`
	BirthYear  int                 `json:"birth_year,omitempty"`
	Attributes map[string]valueRow `json:"attributes,omitempty"`
}

// PutViewer implements upnext.Viewers. Its UpdatedAt is kept, or set to now
// where it is zero; it alone does not make a viewer Updated.
func (s *Viewers) PutViewer(ctx context.Context, t upnext.Tenant, v upnext.Viewer) (upnext.PutStatus, error) {
	attributes, err := valueRows(v.Attributes)
	if err != nil {
		return "", fmt.Errorf("put viewer %s: %w", v.ID, err)
	}
	body, err := encode(fmt.Sprintf("viewer %s", v.ID), viewerRow{v.Locale, v.Region, v.BirthYear, attributes})
	if err != nil {
		return "", err
	}
	if v.UpdatedAt.IsZero() {
		v.UpdatedAt = time.Now()
	}
	status := upnext.Created
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		before, err := one(ctx, tx, scanText, `SELECT body FROM viewers WHERE tenant = $1 AND viewer = $2`,
			string(t), v.ID.String())
		switch {
		case errors.Is(err, upnext.ErrNotFound):
			status = upnext.Created
		case err != nil:
			return err
		case before == body:
			status = upnext.Unchanged
			return nil
		default:
			status = upnext.Updated
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO viewers (tenant, viewer, updated_at, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant, viewer) DO UPDATE SET updated_at = excluded.updated_at, body = excluded.body`,
			string(t), v.ID.String(), micros(v.UpdatedAt), body)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("put viewer %s: %w", v.ID, err)
	}
	return status, nil
}

// Viewer implements upnext.Viewers.
func (s *Viewers) Viewer(ctx context.Context, t upnext.Tenant, id upnext.ViewerID) (upnext.Viewer, error) {
	v, err := one(ctx, s.db.read, scanViewer,
		`SELECT viewer, updated_at, body FROM viewers WHERE tenant = $1 AND viewer = $2`, string(t), id.String())
	if err != nil {
		return upnext.Viewer{}, fmt.Errorf("viewer %s: %w", id, err)
	}
	return v, nil
}

func scanViewer(rows *sql.Rows) (upnext.Viewer, error) {
	var id, body string
	var updated int64
	if err := rows.Scan(&id, &updated, &body); err != nil {
		return upnext.Viewer{}, err
	}
	viewer, err := upnext.ParseViewerID(id)
	if err != nil {
		return upnext.Viewer{}, fmt.Errorf("damaged row: %w", err)
	}
	r, err := decode[viewerRow]("viewer "+id, body)
	if err != nil {
		return upnext.Viewer{}, err
	}
	return upnext.Viewer{
		ID: viewer, Locale: r.Locale, Region: r.Region, BirthYear: r.BirthYear,
		Attributes: values(r.Attributes), UpdatedAt: fromMicros(updated),
	}, nil
}

// DeleteViewer implements upnext.Viewers.
func (s *Viewers) DeleteViewer(ctx context.Context, t upnext.Tenant, id upnext.ViewerID) error {
	_, err := s.db.remove(ctx, `DELETE FROM viewers WHERE tenant = $1 AND viewer = $2`, string(t), id.String())
	if err != nil {
		return fmt.Errorf("delete viewer %s: %w", id, err)
	}
	return nil
}

// ListViewers implements upnext.Viewers.
func (s *Viewers) ListViewers(ctx context.Context, t upnext.Tenant, after string, limit int) ([]upnext.Viewer, error) {
	viewers, err := query(ctx, s.db.read, scanViewer, `SELECT viewer, updated_at, body FROM viewers
		WHERE tenant = $1 AND viewer > $2 ORDER BY viewer LIMIT $3`, string(t), after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list viewers after %q: %w", after, err)
	}
	return viewers, nil
}
