package serve

import (
	"context"
	"fmt"
	"time"

	"upnext"
	"upnext/index"
)

type arrivalKey struct{}

// Arrived says when a request came to the door: what it waited there counts
// towards its deadline.
func Arrived(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, arrivalKey{}, at)
}

// arrivedAt returns when a request came: now, where nobody said.
func arrivedAt(ctx context.Context) time.Time {
	if at, ok := ctx.Value(arrivalKey{}).(time.Time); ok {
		return at
	}
	return time.Now()
}

// within bounds ctx by the request's deadline: one for all its stages.
func (q *asked) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, q.started.Add(q.req.Deadline))
}

// collection is the promoted one.
type collection struct {
	index.Index
	name string
}

// latch is a lock that is waited for no longer than a context lives.
type latch chan struct{}

// Lock waits for ever.
func (l latch) Lock() { l <- struct{}{} }

// Unlock lets the next one in.
func (l latch) Unlock() { <-l }

// TryLock does not wait; false where somebody is in.
func (l latch) TryLock() bool {
	select {
	case l <- struct{}{}:
		return true
	default:
		return false
	}
}

// lockIn gives up with ctx; the error then wraps ErrUnavailable.
func (l latch) lockIn(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", context.Cause(ctx), upnext.ErrUnavailable)
	}
}
