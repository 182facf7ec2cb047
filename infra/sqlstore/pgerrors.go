package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"upnext"
)

// failurePostgres maps what the server said, by the class or the code of its
// SQLSTATE. What passes, or is somebody else's to mend, is ErrUnavailable: a
// server that starts or stops, too many connections, a full disk, a deadlock, a
// timeout, a server that only reads, a password that no longer holds.
func failurePostgres(err error, e *pgconn.PgError) error {
	class := e.Code
	if len(class) > 2 {
		class = class[:2]
	}
	switch class {
	case "08", // connection
		"28", "3D", // who may come in, and to what
		"40", // rolled back: deadlock, serialization
		"53", // resources: disk, memory, connections
		"57", // operator: shutdown, crash, statement timeout
		"58": // the system below
		return fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
	case "22", // a value that is none: a NUL character, too long, out of range
		"54": // too large for an index or a row
		return fmt.Errorf("%w: %w", err, upnext.ErrInvalid)
	}
	switch e.Code {
	case "55P03", "25P03", "25P04", "25006": // lock and transaction timeouts, a standby
		return fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
	}
	return err
}

// broken reports that the connection is gone, so that the server has rolled
// back what was not committed. A context's end closes it too, and is not this.
func broken(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var p *pgconn.PgError
	if errors.As(err, &p) {
		// The server ends the session after saying so.
		return strings.HasPrefix(p.Code, "08") || p.Code == "57P01" || p.Code == "57P02" || p.Code == "57P05" || p.Code == "25P03"
	}
	var n net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &n) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// again reports that a transaction was not kept and may be tried again at
// once: another one was in its way, or its connection broke before the commit.
// A server that cannot be reached is the caller's to wait for.
func again(err error) bool {
	var c *pgconn.ConnectError
	if err == nil || errors.Is(err, errUnknown) || errors.As(err, &c) {
		return false
	}
	var p *pgconn.PgError
	if errors.As(err, &p) && (p.Code == "40001" || p.Code == "40P01") {
		return true
	}
	return broken(err)
}
