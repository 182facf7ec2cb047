package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"upnext"
)

// failure maps an error of the driver to one of the root package's, keeping
// its words. What a caller can wait out (a full disk, a lock, a database that
// is closing) is ErrUnavailable; a damaged file is none of them. Errors that
// are mapped already, and a context's, pass as they are.
func failure(err error) error {
	switch {
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
