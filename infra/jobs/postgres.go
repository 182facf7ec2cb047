package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"upnext"
)

// maxConns are the connections of one process's pool, where the URL's
// pool_max_conns does not say; River listens on one of them, and one more holds
// this process's claim.
const maxConns = 8

// postgres is a queue that processes share.
type postgres struct {
	pool   *pgxpool.Pool
	schema string // of River's tables
	logger *slog.Logger
}

// plainSchema is what River takes as a schema's name.
var plainSchema = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)

func openPostgres(ctx context.Context, url string, logger *slog.Logger) (engine, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, upnext.ErrInvalid)
	}
	params := config.ConnConfig.RuntimeParams
	for _, ours := range []string{"pool_writers", "pool_readers"} { // of sqlstore, which takes the same URL
		delete(params, ours)
	}
	if !regexp.MustCompile(`[?& ]pool_max_conns=`).MatchString(url) {
		config.MaxConns = maxConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	if _, ok := params["application_name"]; !ok {
		params["application_name"] = "upnext jobs"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	e := &postgres{pool: pool, logger: logger}
	if err := e.prepare(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return e, nil
}

// migrateLock is the advisory lock of whoever migrates.
const migrateLock = 0x75706e657874_0002

// prepare makes the schema and its tables. Processes that start together do it
// one after the other.
func (e *postgres) prepare(ctx context.Context) (err error) {
	gate, err := pgx.ConnectConfig(ctx, e.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = gate.Close(context.WithoutCancel(ctx)) }() // which frees the lock
	if err := gate.QueryRow(ctx, `SELECT CASE current_schema() WHEN 'public' THEN 'river' ELSE current_schema() || '_river' END`).Scan(&e.schema); err != nil {
		return err
	}
	if !plainSchema.MatchString(e.schema) {
		return fmt.Errorf("schema %q: River takes letters, digits and _ alone: %w", e.schema, upnext.ErrInvalid)
	}
	if _, err := gate.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrateLock)); err != nil {
		return err
	}
	if _, err := gate.Exec(ctx, `SET client_min_messages TO warning; CREATE SCHEMA IF NOT EXISTS "`+e.schema+`"`); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(e.pool), &rivermigrate.Config{Logger: quiet(e.logger), Schema: e.schema})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (e *postgres) newClient(c *river.Config) (client, error) {
	c.Schema = e.schema
	return river.NewClient(riverpgxv5.New(e.pool), c)
}

// poll is for what no NOTIFY told of.
func (e *postgres) poll() time.Duration { return 500 * time.Millisecond }

// jobs names the table.
func (e *postgres) jobs() string { return `"` + e.schema + `".river_job` }

func (e *postgres) tagged(ctx context.Context, tag string, limit int) ([]int64, error) {
	rows, err := e.pool.Query(ctx, `SELECT id FROM `+e.jobs()+` WHERE state IN `+unended+`
		AND tags @> ARRAY[$1]::varchar[] AND NOT jsonb_exists(metadata, 'cancel_attempted_at') LIMIT $2`, tag, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

func (e *postgres) waiting(ctx context.Context, tag string) (n int, err error) {
	err = e.pool.QueryRow(ctx, `SELECT count(*) FROM `+e.jobs()+` WHERE state IN `+unended+` AND tags @> ARRAY[$1]::varchar[]`, tag).Scan(&n)
	return n, err
}

func (e *postgres) shared() bool { return true }

func (e *postgres) close() error {
	e.pool.Close()
	return nil
}
