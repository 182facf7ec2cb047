package sqlstore

import (
	"context"
	"database/sql"
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
	body, err := encodeViewer(v)
	if err != nil {
		return "", fmt.Errorf("put: %w", err)
	}
	if v.UpdatedAt.IsZero() {
		v.UpdatedAt = time.Now()
	}
	if err := checkColumns("tenant", string(t), "viewer", v.ID.String()); err != nil {
		return "", fmt.Errorf("put viewer: %w", err)
	}
	status := upnext.Created
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		// Not read first: another process may put the same viewer.
		n, err := affected(tx.ExecContext(ctx, `INSERT INTO viewers (tenant, viewer, updated_at, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant, viewer) DO NOTHING`, string(t), v.ID.String(), micros(v.UpdatedAt), body))
		if status = upnext.Created; err == nil && n == 0 {
			n, err = affected(tx.ExecContext(ctx, `UPDATE viewers SET updated_at = $3, body = $4
				WHERE tenant = $1 AND viewer = $2 AND body <> $4`, string(t), v.ID.String(), micros(v.UpdatedAt), body))
			if status = upnext.Updated; n == 0 {
				status = upnext.Unchanged
			}
		}
		if err != nil || n == 0 {
			return err
		}
		return s.db.forget(ctx, tx, t, v.ID.String())
	})
	if err != nil {
		return "", fmt.Errorf("put viewer %s: %w", v.ID, err)
	}
	return status, nil
}

func encodeViewer(v upnext.Viewer) (string, error) {
	attributes, err := valueRows(v.Attributes)
	if err != nil {
		return "", fmt.Errorf("viewer %s: %w", v.ID, err)
	}
	return encode(fmt.Sprintf("viewer %s", v.ID), viewerRow{v.Locale, v.Region, v.BirthYear, attributes})
}

// affected returns how many rows a statement has written.
func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
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
	_, err := s.db.removeOf(ctx, t, id, `DELETE FROM viewers WHERE tenant = $1 AND viewer = $2`, func(*sql.Tx) error { return nil })
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
