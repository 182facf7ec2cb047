package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"upnext"
	"upnext/infra/blob"
)

// Events yields a tenant's archived events with from <= At < to, one file in
// memory at a time: by day of acceptance, then user hash, then batch; within a
// file by viewer, then Seq. A zero time is no bound. A batch that is being
// written is not there yet. An error ends it.
func Events(ctx context.Context, blobs blob.Store, t upnext.Tenant, from, to time.Time) iter.Seq2[Event, error] {
	return rows(ctx, blobs, t, events, from, to, func(e Event) time.Time { return time.UnixMicro(e.At) })
}

// Slates yields a tenant's archived slates in the same way.
func Slates(ctx context.Context, blobs blob.Store, t upnext.Tenant, from, to time.Time) iter.Seq2[Slate, error] {
	return rows(ctx, blobs, t, slates, from, to, func(s Slate) time.Time { return time.UnixMicro(s.At) })
}

func rows[R record](ctx context.Context, blobs blob.Store, t upnext.Tenant, set string, from, to time.Time, at func(R) time.Time) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		fail := func(err error) { yield(none, fmt.Errorf("read the archived %s of tenant %s: %w", set, t, err)) }
		s, err := decode[state](ctx, blobs, stateKey(t, set))
		if errors.Is(err, upnext.ErrNotFound) {
			return // nothing was archived yet
		}
		if err != nil {
			fail(err)
			return
		}
		day := ""
		if !from.IsZero() { // nothing happens later than MaxAhead after its acceptance
			day = dayOf(from.Add(-upnext.MaxAhead))
		}
		for p, err := range parts(ctx, blobs, t, set, day) {
			if err != nil {
				fail(err)
				return
			}
			if p.last > s.After {
				continue
			}
			for row, err := range readPart[R](ctx, blobs, p) {
				if err != nil {
					fail(err)
					return
				}
				if when := at(row); when.Before(from) || !to.IsZero() && !when.Before(to) {
					continue
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}
