package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"upnext"
)

// sqlite is a queue in a file that one process has.
type sqlite struct{ db *sql.DB }

func openSQLite(ctx context.Context, path string, logger *slog.Logger) (engine, error) {
	if path == "" {
		return nil, fmt.Errorf("no file named: %w", upnext.ErrInvalid)
	}
	// FULL: a job that Insert has returned survives a power cut.
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; River's polls are writes
	e := &sqlite{db}
	if err := e.prepare(ctx, logger); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return e, nil
}

func (e *sqlite) prepare(ctx context.Context, logger *slog.Logger) error {
	migrator, err := rivermigrate.New(riversqlite.New(e.db), &rivermigrate.Config{Logger: quiet(logger)})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	// River's own rescue waits for an hour, as another process might be at it.
	rows, err := e.db.QueryContext(ctx, `
		UPDATE river_job SET
			metadata = jsonb_set(metadata, '$.`+crashesKey+`', coalesce(json_extract(metadata, '$.`+crashesKey+`'), 0) + 1),
			attempt = max(attempt - 1, 0), scheduled_at = CURRENT_TIMESTAMP,
			state = CASE WHEN json_extract(metadata, '$.cancel_attempted_at') IS NOT NULL THEN 'cancelled'
				WHEN coalesce(json_extract(metadata, '$.`+crashesKey+`'), 0) + 1 < $1 THEN 'available' ELSE 'discarded' END,
			finalized_at = CASE WHEN json_extract(metadata, '$.cancel_attempted_at') IS NOT NULL
				OR coalesce(json_extract(metadata, '$.`+crashesKey+`'), 0) + 1 >= $1 THEN CURRENT_TIMESTAMP END
		WHERE state = 'running' RETURNING id, kind, state`, MaxCrashes)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r rescued
		if err := rows.Scan(&r.id, &r.kind, &r.state); err != nil {
			return err
		}
		r.log(ctx, logger)
	}
	return rows.Err()
}

func (e *sqlite) newClient(c *river.Config) (client, error) {
	return river.NewClient(riversqlite.New(e.db), c)
}

// poll is short: nobody tells a client of a job.
func (e *sqlite) poll() time.Duration { return 50 * time.Millisecond }

// unended are the states of jobs that have not ended, in SQL.
const unended = `('available', 'pending', 'retryable', 'running', 'scheduled')`

func (e *sqlite) tagged(ctx context.Context, tag string, limit int) ([]int64, error) {
	// Tags are a list in SQLite's binary JSON; River lets a tag hold three or
	// more letters, digits, _ and - alone.
	rows, err := e.db.QueryContext(ctx, `SELECT id FROM river_job WHERE state IN `+unended+`
		AND instr(json(tags), '"' || $1 || '"') > 0 AND json_extract(metadata, '$.cancel_attempted_at') IS NULL LIMIT $2`, tag, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (e *sqlite) waiting(ctx context.Context, tag string) (n int, err error) {
	err = e.db.QueryRowContext(ctx, `SELECT count(*) FROM river_job WHERE state IN `+unended+`
		AND instr(json(tags), '"' || $1 || '"') > 0`, tag).Scan(&n)
	return n, err
}

// watch has nobody to watch.
func (e *sqlite) watch(context.Context, string) (func(), error) { return func() {}, nil }

func (e *sqlite) shared() bool { return false }

func (e *sqlite) close() error { return e.db.Close() }
