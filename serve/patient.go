package serve

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"upnext"
	"upnext/index"
)

// How many calls in a row must fail before the index counts as away, and for
// how long it is then not asked.
const (
	awayAfter = 3
	awayFor   = time.Second
)

// health is how a tenant's index has answered lately.
type health struct {
	failed atomic.Int64 // calls in a row
	until  atomic.Int64 // away until then, Unix nanoseconds
}

// ask makes one call of at most limit. An index that is away costs a request its
// share, not its whole deadline, and the requests behind it nothing: they are
// told at once.
func (h *health) ask(ctx context.Context, limit time.Duration, call func(ctx context.Context) error) error {
	if time.Now().UnixNano() < h.until.Load() {
		return fmt.Errorf("the index is away: %w", upnext.ErrUnavailable)
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := call(limited)
	switch {
	case err == nil:
		h.failed.Store(0)
	case ctx.Err() != nil: // the caller had no time, which says nothing of the index
	case errors.Is(err, upnext.ErrUnavailable), limited.Err() != nil:
		if h.failed.Add(1) >= awayAfter {
			h.until.Store(time.Now().Add(awayFor).UnixNano())
		}
		if limited.Err() != nil {
			err = fmt.Errorf("no answer within %s: %w: %w", limit, err, upnext.ErrUnavailable)
		}
	}
	return err
}

// patient is an index that a request does not wait long for.
type patient struct {
	index.Index
	health *health
	limit  time.Duration
}

// Search implements index.Index.
func (p patient) Search(ctx context.Context, q index.Query) (hits [][]index.Hit, err error) {
	err = p.health.ask(ctx, p.limit, func(ctx context.Context) error {
		hits, err = p.Index.Search(ctx, q)
		return err
	})
	return hits, err
}

// Vectors implements index.Index.
func (p patient) Vectors(ctx context.Context, ids ...upnext.ItemID) (vectors [][]float32, err error) {
	err = p.health.ask(ctx, p.limit, func(ctx context.Context) error {
		vectors, err = p.Index.Vectors(ctx, ids...)
		return err
	})
	return vectors, err
}
