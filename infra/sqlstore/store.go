// Package sqlstore keeps the stores of the root package in a SQL database: one
// SQLite file, or PostgreSQL for several processes at once. Their statements
// are one text ($1, ON CONFLICT, RETURNING; no JSON operators, no arrays); only
// the migrations differ, one folder each, and what SQLite has no word for:
// telling other processes, and locks.
package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
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
	Merges         *Merges
	Beats          *Beats
	Holdings       *Holdings
	Slates         *Slates
	Cursors        *Cursors
	Replies        *Replies
	Imports        *Imports
	Locks          upnext.Locks

	db database
}

// Open opens the database that a URL names, creating or migrating it as
// needed. What is not a database, was written by a newer program, or was left
// halfway through a migration is refused.
//
// "sqlite:FILE" is one file; its folder must exist and no other process may
// have it open. "postgres://USER:PASSWORD@HOST:PORT/DATABASE?…" is shared by as
// many processes as like; the tables are made in the first schema of
// search_path. Beside libpq's parameters it takes pool_writers and pool_readers,
// the most connections of each kind.
func Open(ctx context.Context, url string, logger *slog.Logger) (*Store, error) {
	engine, rest, _ := strings.Cut(url, ":")
	var db database
	var err error
	switch engine {
	case "sqlite":
		db, err = openSQLite(ctx, rest, logger)
	case "postgres", "postgresql":
		db, err = openPostgres(ctx, url, logger)
		url = redact(url)
	default:
		return nil, fmt.Errorf("database %q: no such engine; there are sqlite and postgres: %w", redact(url), upnext.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", url, err)
	}
	s, err := newStore(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", url, err), db.close())
	}
	return s, nil
}

// redact keeps of a URL, for errors and logs, what cannot hold a password:
// parameters can.
func redact(text string) string {
	engine, rest, _ := strings.Cut(text, ":")
	if engine == "sqlite" {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || rest == "" {
		return "postgres:…"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

func newStore(ctx context.Context, db database) (*Store, error) {
	events, err := openEvents(ctx, db)
	if err != nil {
		return nil, err
	}
	return &Store{
		Catalog: &Catalog{db}, Indexings: &Indexings{db}, Understandings: &Understandings{db},
		Schemas: &Schemas{db}, Events: events, Viewers: &Viewers{db}, Merges: &Merges{db}, Beats: &Beats{db}, Holdings: &Holdings{db},
		Slates: &Slates{db}, Cursors: &Cursors{db}, Replies: &Replies{db}, Imports: &Imports{db},
		Locks: newLocks(db), db: db,
	}, nil
}

// Ping reports whether the database answers, for readiness; ErrUnavailable
// where it does not.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.db.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("ping the database: %w", failureIn(ctx, err))
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
