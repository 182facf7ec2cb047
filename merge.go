package upnext

import (
	"context"
	"time"
)

// Merged says what a merge has done.
type Merged struct {
	Events     int       // moved to the known viewer by this call
	Duplicates int       // that the known viewer had under the same id, and that went
	Properties bool      // whether the known viewer got any that they lacked
	At         time.Time // when the two were first merged
}

// Merges makes one of an anonymous viewer and the known one they turn out to
// be. It is safe for concurrent use, also by several processes.
type Merges interface {
	// Merge gives the known viewer the events of the anonymous one, each once by
	// id, and the properties that they lack; what they say themselves stays. From
	// then on Events.Append takes events of the anonymous one for theirs. Doing it
	// again moves what is left. ErrConflict: they were merged into somebody else;
	// ErrInvalid: the first is not anonymous, or the second is.
	Merge(ctx context.Context, t Tenant, anonymous, known ViewerID, at time.Time) (Merged, error)

	// Into returns whom an anonymous viewer was merged into, or ErrNotFound.
	Into(ctx context.Context, t Tenant, anonymous ViewerID) (ViewerID, error)

	// Absorbed returns those who were merged into a known viewer, by ID.
	Absorbed(ctx context.Context, t Tenant, known ViewerID) ([]ViewerID, error)

	// Part forgets who was merged into a known viewer, as erasure demands: what
	// the anonymous do from then on is their own.
	Part(ctx context.Context, t Tenant, known ViewerID) error
}
