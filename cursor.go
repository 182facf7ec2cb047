package upnext

import (
	"context"
	"time"
)

// Cursor is how far one recommendation, or one page of rows, has been read: what
// was asked, and what was returned so far and so must not be returned again.
type Cursor struct {
	ID       SlateID // of the first answer, or of the page of rows
	Viewer   ViewerID
	Requests map[string][]byte // what was asked, by row (one row: ""), as its asker writes and reads it
	Returned []ItemID          // oldest first, each once
	Version  int64             // from 1; every step of reading on is one more
	Until    time.Time         // to the microsecond; not to be gone on with after it
}

// Cursors keeps cursors for those that read on, at any replica. It is safe for
// concurrent use.
type Cursors interface {
	// Cursor returns one, also one whose time is over, or ErrNotFound.
	Cursor(ctx context.Context, t Tenant, id SlateID) (Cursor, error)

	// Advance keeps c in the place of the same cursor at Version-1, a Version of 1
	// where there is none. ErrConflict says that another step came first: read it
	// and try again.
	Advance(ctx context.Context, t Tenant, c Cursor) error

	// EraseCursors removes all of a viewer's and returns how many there were.
	EraseCursors(ctx context.Context, t Tenant, viewer ViewerID) (int, error)

	// PruneCursors removes those whose time was over before, in every tenant.
	PruneCursors(ctx context.Context, before time.Time) (int, error)
}
