package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"upnext"
)

// failure maps an error of the driver to one of the root package's, keeping
// its words. What a caller can wait out (a full disk, a lock, a database that
// is closing) is ErrUnavailable; a damaged file is none of them. Errors that
// are mapped already, and a context's, pass as they are.
func failure(err error) error {
	var c *pgconn.ConnectError
	switch {
	case errors.As(err, &c):
		// It may hold the deadline of the connecting, which is not the caller's.
		return fmt.Errorf("%v: %w", err, upnext.ErrUnavailable)
	case err == nil, errors.Is(err, upnext.ErrNotFound), errors.Is(err, upnext.ErrInvalid),
		errors.Is(err, upnext.ErrConflict), errors.Is(err, upnext.ErrUnavailable),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return upnext.ErrNotFound
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone), err.Error() == "sql: database is closed":
		// database/sql has no name for the last one.
		return fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
	}
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return failurePostgres(err, p)
	}
	if broken(err) {
		return fmt.Errorf("the connection to the database is lost: %w: %w", err, upnext.ErrUnavailable)
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff { // the low byte is the kind, the rest its detail
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM:
		return fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
	case sqlite3.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", err, upnext.ErrInvalid)
	}
	return err
}

// failureIn is failure for a call whose context may have ended: then that is
// the reason, whatever the driver makes of it.
func failureIn(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return failure(err)
	}
	if errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}
