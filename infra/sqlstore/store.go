// Package sqlstore keeps the stores of the root package in a SQL database: one
// SQLite file. Its statements are one text that PostgreSQL speaks too ($1,
// ON CONFLICT, RETURNING; no JSON operators, no arrays); only the migrations
// differ, one folder each.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"upnext"
)

// Store is one open database, a part for each store of the root package. Every
// part is safe for concurrent use.
type Store struct {
	Catalog        *Catalog
	Indexings      *Indexings
	Understandings *Understandings
	Schemas        *Schemas
	Events         *Events
	Viewers        *Viewers
	Slates         *Slates
	Imports        *Imports

	db database
}

// Open opens the database that a URL names, creating or migrating it as
// needed. There is one engine, "sqlite:FILE"; FILE's folder must exist and no
// other process may have it open. What is not a database, was written by a
// newer program, or was left halfway through a migration is refused.
func Open(ctx context.Context, url string, logger *slog.Logger) (*Store, error) {
	engine, rest, _ := strings.Cut(url, ":")
	switch engine {
	case "sqlite":
		db, err := openSQLite(ctx, rest, logger)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", url, err)
		}
		s, err := newStore(ctx, db)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open %s: %w", url, err), db.close())
		}
		return s, nil
	default:
		return nil, fmt.Errorf("database %q: no such engine; there is sqlite: %w", url, upnext.ErrInvalid)
	}
}

func newStore(ctx context.Context, db database) (*Store, error) {
	events, err := openEvents(ctx, db)
	if err != nil {
		return nil, err
	}
	return &Store{
		Catalog: &Catalog{db}, Indexings: &Indexings{db}, Understandings: &Understandings{db},
		Schemas: &Schemas{db}, Events: events, Viewers: &Viewers{db},
		Slates: &Slates{db}, Imports: &Imports{db},
		db: db,
	}, nil
}

// Ping reports whether the database answers, for readiness; ErrUnavailable
// where it does not.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.db.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("ping the database: %w", failure(err))
	}
	return nil
}

// Close commits the events that are still queued and closes the database.
// Calls that come later fail with ErrUnavailable.
func (s *Store) Close() error {
	s.Events.close()
	if err := s.db.close(); err != nil {
		return fmt.Errorf("close the database: %w", failure(err))
	}
	return nil
}

// database is one connection that writes and a pool that reads: SQLite has one
// writer at a time anyway, and waiting for it in Go is fair and honours ctx.
type database struct {
	write *sql.DB
	read  *sql.DB
}

func (db database) close() error { return errors.Join(db.read.Close(), db.write.Close()) }

// update runs f in a transaction that is committed if f returns nil. What
// update returns is mapped to the root package's errors.
func (db database) update(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return failure(err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the reason is err; a broken connection is dropped by the pool
		return failure(err)
	}
	return failure(tx.Commit())
}

// querier is a transaction or a pool.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// query reads all rows of a statement.
func query[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, failure(err)
	}
	defer func() { _ = rows.Close() }() // Err below has the reason
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, failure(err)
		}
		out = append(out, v)
	}
	return out, failure(rows.Err())
}

// one reads the one row of a statement, or ErrNotFound.
func one[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) (T, error) {
	all, err := query(ctx, q, scan, text, args...)
	if err != nil || len(all) == 0 {
		var none T
		if err == nil {
			err = upnext.ErrNotFound
		}
		return none, err
	}
	return all[0], nil
}

// bump raises a tenant's counter by n and returns the first of the n new
// numbers. It holds the counter's row to the end of the transaction: who gets
// the later number commits later.
func bump(ctx context.Context, tx *sql.Tx, t upnext.Tenant, counter string, n int) (int64, error) {
	var last int64
	err := tx.QueryRowContext(ctx, `
		INSERT INTO counters (tenant, name, value) VALUES ($1, $2, $3)
		ON CONFLICT (tenant, name) DO UPDATE SET value = counters.value + excluded.value
		RETURNING value`, string(t), counter, n).Scan(&last)
	return last - int64(n) + 1, err
}

// maxIn is how many ids one IN list takes: SQL engines limit a statement's
// parameters, and few different texts are planned.
const maxIn = 500

// placeholders returns "$from, $from+1, …", n of them.
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}
