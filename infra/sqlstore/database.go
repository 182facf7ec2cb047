package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"upnext"
)

// database is the connections that write and those that read. SQLite has one
// writer at a time anyway, and waiting for it in Go is fair and honours ctx.
// PostgreSQL has several; what must be ordered holds a counter's row (see bump).
type database struct {
	write *sql.DB
	read  *pool
	locks *sql.DB // sessions that hold advisory locks; nil on SQLite
	news  *news   // tells other processes; nil on SQLite, which has none
}

func (db database) close() error {
	if db.news != nil {
		db.news.close() // it has the writers' connections
	}
	err := errors.Join(db.read.Close(), db.write.Close())
	if db.locks != nil {
		err = errors.Join(err, db.locks.Close())
	}
	return err
}

// maxTries bounds how often update runs a transaction that the database broke
// off without keeping any of it.
const maxTries = 6

// errUnknown says that the connection broke while it committed: the
// transaction may have been kept, or not. It is an ErrUnavailable.
var errUnknown = fmt.Errorf("the connection broke at the commit, which may have been kept: %w", upnext.ErrUnavailable)

// update runs f in a transaction that is committed if f returns nil. What
// update returns is mapped to the root package's errors. Where the database
// gives the transaction up (a deadlock, a lost connection before the commit), f
// runs again: it sets what it returns anew each time.
func (db database) update(ctx context.Context, f func(tx *sql.Tx) error) error {
	for try := 1; ; try++ {
		err := db.updateOnce(ctx, f)
		if try == maxTries || !again(err) || !pause(ctx, try) {
			return failureIn(ctx, err)
		}
	}
}

func (db database) updateOnce(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the reason is err; a broken connection is dropped by the pool
		return err
	}
	if err := tx.Commit(); err != nil {
		if broken(err) {
			return fmt.Errorf("%w: %w", errUnknown, err)
		}
		return err
	}
	return nil
}

// pause waits a little longer at each try, with jitter, so that two that broke
// each other off do not meet again. It reports false where ctx has ended.
func pause(ctx context.Context, try int) bool {
	most := 10 * time.Millisecond << try
	select {
	case <-time.After(most/2 + rand.N(most/2)):
		return true
	case <-ctx.Done():
		return false
	}
}

// querier is a transaction or a pool.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// query reads all rows of a statement.
func query[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	if err := checkArgs(args); err != nil {
		return nil, err
	}
	out, err := queryOnce(ctx, q, scan, text, args...)
	if _, pooled := q.(*pool); pooled && again(err) && ctx.Err() == nil {
		// The connection was gone, as after a restart of the server; the pool has others.
		out, err = queryOnce(ctx, q, scan, text, args...)
	}
	return out, failureIn(ctx, err)
}

func queryOnce[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below has the reason
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
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
	if err := checkColumns("tenant", string(t), "counter", counter); err != nil {
		return 0, err
	}
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

// maxColumn bounds a text that stands in a column, in bytes: PostgreSQL takes
// no more than about 2,700 in a key, which may hold several.
const maxColumn = 2_000

// checkColumns reports, of pairs of a name and a value, the first value that a
// text column does not take, as an ErrInvalid. Texts in a body are not checked:
// JSON escapes what PostgreSQL refuses.
func checkColumns(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		name, v := pairs[i], pairs[i+1]
		switch {
		case strings.ContainsRune(v, 0):
			return fmt.Errorf("%s %q: a NUL character: %w", name, v, upnext.ErrInvalid)
		case !utf8.ValidString(v):
			return fmt.Errorf("%s %q: not UTF-8: %w", name, v, upnext.ErrInvalid)
		case len(v) > maxColumn:
			return fmt.Errorf("%s: %d bytes, %d allowed: %w", name, len(v), maxColumn, upnext.ErrInvalid)
		}
	}
	return nil
}

// checkArgs refuses what no row can be asked by, on either engine.
func checkArgs(args []any) error {
	for _, a := range args {
		if s, ok := a.(string); ok && (strings.ContainsRune(s, 0) || !utf8.ValidString(s)) {
			return fmt.Errorf("%q: a NUL character or not UTF-8: %w", s, upnext.ErrInvalid)
		}
	}
	return nil
}
