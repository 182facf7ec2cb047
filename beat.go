package upnext

import (
	"context"
	"time"
)

// Beat is a sign of life of a live stream: its room is on until then, unless
// another one comes.
type Beat struct {
	Item  ItemID
	At    time.Time // when it came, to the microsecond
	Until time.Time // likewise
}

// Beats keeps the latest sign of life of each live stream that has ever given
// one. It is safe for concurrent use.
type Beats interface {
	// PutBeat keeps a beat in the place of an earlier one of its item.
	PutBeat(ctx context.Context, t Tenant, b Beat) error

	// BeatsSince returns those that came at or after a time, in no order.
	BeatsSince(ctx context.Context, t Tenant, at time.Time) ([]Beat, error)
}
