package sqlstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/golang-migrate/migrate/v4"
	migratedb "github.com/golang-migrate/migrate/v4/database"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"upnext"
)

// The most connections of one process, by what they do; one more listens. A
// server takes 100 by default: enough for three processes and their jobs.
const (
	maxWriters = 8
	maxReaders = 12
	maxLocks   = 8 // names that one process holds or waits for at once
)

// openPostgres opens pools to a server that may be shared with other processes.
func openPostgres(ctx context.Context, url string, logger *slog.Logger) (database, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return database{}, fmt.Errorf("%w: %w", err, upnext.ErrInvalid)
	}
	writers, err := poolSize(config, "pool_writers", maxWriters)
	if err != nil {
		return database{}, err
	}
	readers, err := poolSize(config, "pool_readers", maxReaders)
	if err != nil {
		return database{}, err
	}
	delete(config.RuntimeParams, "pool_max_conns") // of jobs, which takes the same URL
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	defaults(config, map[string]string{"application_name": "upnext"})
	locks := config.Copy() // who waits for a lock waits for as long as ctx lasts
	defaults(config, map[string]string{
		// No statement waits for ever, nor holds others up for ever: a client may
		// hang, or be cut off without the server's knowing.
		"lock_timeout": "15s", "statement_timeout": "60s", "idle_in_transaction_session_timeout": "30s",
	})
	reading := config.Copy()
	defaults(reading, map[string]string{"default_transaction_read_only": "on"})

	schema, version, err := migratePostgres(ctx, locks)
	if err != nil {
		return database{}, failureIn(ctx, err)
	}
	db := database{
		write: poolPostgres(config, writers), read: &pool{DB: poolPostgres(reading, readers)}, locks: poolPostgres(locks, maxLocks),
	}
	db.locks.SetMaxIdleConns(1)
	if err := errors.Join(db.write.PingContext(ctx), db.read.PingContext(ctx)); err != nil {
		return database{}, errors.Join(failureIn(ctx, err), db.close())
	}
	db.news = startNews(db.write, locks, "upnext_"+schema, rand.Text(), logger)
	logger.Info("database open", "host", config.Host, "port", config.Port, "database", config.Database, "schema", schema, "version", version)
	return db, nil
}

// poolSize takes a parameter of ours out of those that go to the server.
func poolSize(config *pgx.ConnConfig, name string, size int) (int, error) {
	text, ok := config.RuntimeParams[name]
	if !ok {
		return size, nil
	}
	delete(config.RuntimeParams, name)
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1000 {
		return 0, fmt.Errorf("%s: %q is not a number from 1 to 1000: %w", name, text, upnext.ErrInvalid)
	}
	return n, nil
}

// defaults sets what the URL has not.
func defaults(config *pgx.ConnConfig, params map[string]string) {
	for name, v := range params {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = v
		}
	}
}

// poolPostgres makes a pool of up to n connections, opened as they are needed.
// One that has idled for a second is asked whether it still lives before use.
func poolPostgres(config *pgx.ConnConfig, n int) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour) // so that a changed address or password is met in time
	return db
}

// migrateLock is the advisory lock of whoever migrates.
const migrateLock = 0x75706e657874_0001

// migratePostgres brings the database to the newest version and returns the
// schema that it is in. Processes that start together do it one after the
// other: each waits until the lock is free, or ctx ends.
func migratePostgres(ctx context.Context, config *pgx.ConnConfig) (schema string, version uint, err error) {
	gate, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", 0, err
	}
	// Its end frees the lock.
	defer func() { _ = gate.Close(context.WithoutCancel(ctx)) }()
	var name *string
	if err := gate.QueryRow(ctx, `SELECT current_schema()`).Scan(&name); err != nil {
		return "", 0, err
	}
	if name == nil {
		return "", 0, fmt.Errorf("no schema of search_path exists: %w", upnext.ErrInvalid)
	}
	if _, err := gate.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrateLock)); err != nil {
		return "", 0, err
	}
	source, err := iofs.New(migrations, "migrations/postgres")
	if err != nil {
		return "", 0, err
	}
	newest, err := newestOf(source)
	if err != nil {
		return "", 0, errors.Join(err, source.Close())
	}
	db := stdlib.OpenDB(*config)
	driver, err := migratepgx.WithInstance(db, &migratepgx.Config{})
	if err != nil {
		return "", 0, errors.Join(err, source.Close(), db.Close())
	}
	m, err := migrate.NewWithInstance("iofs", source, "postgres", &whole{Driver: driver})
	if err != nil {
		return "", 0, errors.Join(err, source.Close(), driver.Close())
	}
	defer func() {
		sourceErr, dbErr := m.Close()
		err = errors.Join(err, sourceErr, dbErr)
	}()
	return *name, newest, upgrade(m, newest)
}

// whole makes a migration and the note of its version one transaction: a
// process that is killed in the middle leaves nothing behind, and the next one
// does not find a database of which nobody knows how far it came.
type whole struct {
	migratedb.Driver
	version int
	done    bool
}

// SetVersion implements migrate's Driver. It is called before a migration, as
// dirty, and after it.
func (w *whole) SetVersion(version int, dirty bool) error {
	if dirty {
		w.version, w.done = version, false
		return nil
	}
	if w.done && version == w.version {
		return nil
	}
	return w.Driver.SetVersion(version, dirty)
}

// Run implements migrate's Driver. A text of several statements is one
// transaction to PostgreSQL where it is sent without parameters, as here.
func (w *whole) Run(migration io.Reader) error {
	text, err := io.ReadAll(migration)
	if err != nil {
		return err
	}
	text = fmt.Appendf(text, "\n;TRUNCATE schema_migrations; INSERT INTO schema_migrations (version, dirty) VALUES (%d, false)", w.version)
	if err := w.Driver.Run(bytes.NewReader(text)); err != nil {
		return err
	}
	w.done = true
	return nil
}
