package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"upnext"
)

// Imports is the upnext.Imports.
type Imports struct{ db database }

var _ upnext.Imports = (*Imports)(nil)

type importRow struct {
	Source    string           `json:"source"`
	Format    string           `json:"format,omitempty"`
	OnMissing string           `json:"on_missing,omitempty"`
	State     string           `json:"state"`
	Error     string           `json:"error,omitempty"`
	Total     int64            `json:"total"`
	Created   int64            `json:"created"`
	Updated   int64            `json:"updated"`
	Unchanged int64            `json:"unchanged"`
	Missing   int64            `json:"missing"`
	Failed    int64            `json:"failed"`
	Events    int64            `json:"events"`
	Stages    []stageRow       `json:"stages,omitempty"`
	Causes    map[string]int64 `json:"causes,omitempty"`
	StartedAt stamp            `json:"started_at,omitzero"`
	EndedAt   stamp            `json:"ended_at,omitzero"`
}

type stageRow struct {
	Name   string        `json:"name"`
	Done   int64         `json:"done"`
	Failed int64         `json:"failed,omitempty"`
	Busy   time.Duration `json:"busy_ns,omitempty"`
}

// SaveImport implements upnext.Imports.
func (s *Imports) SaveImport(ctx context.Context, t upnext.Tenant, imp upnext.Import) error {
	if err := checkColumns("tenant", string(t), "import id", string(imp.ID)); err != nil {
		return fmt.Errorf("save import: %w", err)
	}
	body, err := encode(fmt.Sprintf("import %s", imp.ID), importRow{
		Source: imp.Source, Format: imp.Format, OnMissing: string(imp.OnMissing), State: string(imp.State), Error: imp.Error,
		Total: imp.Total, Created: imp.Created, Updated: imp.Updated, Unchanged: imp.Unchanged, Missing: imp.Missing,
		Failed: imp.Failed, Events: imp.Events,
		Stages: each(imp.Stages, func(s upnext.Stage) stageRow { return stageRow(s) }), Causes: imp.Causes,
		StartedAt: stamp{imp.StartedAt}, EndedAt: stamp{imp.EndedAt},
	})
	if err != nil {
		return err
	}
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO imports (tenant, id, queued_at, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant, id) DO UPDATE SET queued_at = excluded.queued_at, body = excluded.body`,
			string(t), string(imp.ID), micros(imp.QueuedAt), body)
		return err
	})
	if err != nil {
		return fmt.Errorf("save import %s: %w", imp.ID, err)
	}
	return nil
}

// Import implements upnext.Imports.
func (s *Imports) Import(ctx context.Context, t upnext.Tenant, id upnext.ImportID) (upnext.Import, error) {
	imp, err := one(ctx, s.db.read, scanImport,
		`SELECT id, queued_at, body FROM imports WHERE tenant = $1 AND id = $2`, string(t), string(id))
	if err != nil {
		return upnext.Import{}, fmt.Errorf("import %s: %w", id, err)
	}
	return imp, nil
}

// ListImports implements upnext.Imports. Newest is the latest QueuedAt; of two
// the greater id.
func (s *Imports) ListImports(ctx context.Context, t upnext.Tenant, limit int) ([]upnext.Import, error) {
	imports, err := query(ctx, s.db.read, scanImport, `SELECT id, queued_at, body FROM imports
		WHERE tenant = $1 ORDER BY queued_at DESC, id DESC LIMIT $2`, string(t), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return imports, nil
}

func scanImport(rows *sql.Rows) (upnext.Import, error) {
	var id, body string
	var queued int64
	if err := rows.Scan(&id, &queued, &body); err != nil {
		return upnext.Import{}, err
	}
	r, err := decode[importRow]("import "+id, body)
	if err != nil {
		return upnext.Import{}, err
	}
	return upnext.Import{
		ID: upnext.ImportID(id), Source: r.Source, Format: r.Format, OnMissing: upnext.OnMissing(r.OnMissing),
		State: upnext.ImportState(r.State), Error: r.Error, Total: r.Total, Created: r.Created, Updated: r.Updated,
		Unchanged: r.Unchanged, Missing: r.Missing, Failed: r.Failed, Events: r.Events,
		Stages: each(r.Stages, func(s stageRow) upnext.Stage { return upnext.Stage(s) }), Causes: r.Causes,
		QueuedAt: fromMicros(queued), StartedAt: r.StartedAt.Time, EndedAt: r.EndedAt.Time,
	}, nil
}

// AddFailures implements upnext.Imports. Texts may come from broken objects:
// what is not UTF-8 in them is replaced, and long ones are cut.
func (s *Imports) AddFailures(ctx context.Context, t upnext.Tenant, id upnext.ImportID, failures ...upnext.Failure) error {
	if len(failures) == 0 {
		return nil
	}
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		seq, err := bump(ctx, tx, t, "failures:"+string(id), len(failures))
		if err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, `
			INSERT INTO failures (tenant, import, seq, key, line, stage, item, cause, detail)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (tenant, import, key, line, stage) DO NOTHING`)
		if err != nil {
			return err
		}
		defer func() { _ = stmt.Close() }() // ends with the transaction anyway
		for i, f := range failures {
			_, err := stmt.ExecContext(ctx, string(t), string(id), seq+int64(i), clean(f.Key), f.Line, clean(f.Stage),
				clean(string(f.Item)), clean(f.Cause), clean(f.Detail))
			if err != nil {
				return fmt.Errorf("key %s line %d: %w", f.Key, f.Line, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add %d failures to import %s: %w", len(failures), id, err)
	}
	return nil
}

// clean makes any bytes fit a text column: UTF-8 without NUL, not too long.
func clean(s string) string {
	if len(s) > maxColumn {
		cut := maxColumn
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
}

// Failures implements upnext.Imports.
func (s *Imports) Failures(ctx context.Context, t upnext.Tenant, id upnext.ImportID, after int64, limit int) ([]upnext.Failure, error) {
	failures, err := query(ctx, s.db.read, func(rows *sql.Rows) (upnext.Failure, error) {
		var f upnext.Failure
		var item string
		err := rows.Scan(&f.Seq, &f.Key, &f.Line, &f.Stage, &item, &f.Cause, &f.Detail)
		f.Item = upnext.ItemID(item)
		return f, err
	}, `SELECT seq, key, line, stage, item, cause, detail FROM failures
		WHERE tenant = $1 AND import = $2 AND seq > $3 ORDER BY seq LIMIT $4`,
		string(t), string(id), after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("failures of import %s: %w", id, err)
	}
	return failures, nil
}
