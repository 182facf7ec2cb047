package upnext

import (
	"context"
	"iter"
	"time"
)

// HeldReply is a Reply and when its request came.
type HeldReply struct {
	Reply
	At time.Time
}

// Holdings reads all that is held of one viewer, however much that is, for
// those who ask what is held of them. An error ends a sequence. What changes
// meanwhile may be met or not. It is safe for concurrent use.
type Holdings interface {
	// HeldEvents yields a viewer's events, oldest first.
	HeldEvents(ctx context.Context, t Tenant, viewer ViewerID) iter.Seq2[Event, error]

	// HeldSlates yields the answers they were given, by ID, and so by time.
	HeldSlates(ctx context.Context, t Tenant, viewer ViewerID) iter.Seq2[Slate, error]

	// HeldCursors yields how far they have read, by ID.
	HeldCursors(ctx context.Context, t Tenant, viewer ViewerID) iter.Seq2[Cursor, error]

	// HeldReplies yields the kept replies that tell of them, in no order.
	HeldReplies(ctx context.Context, t Tenant, viewer ViewerID) iter.Seq2[HeldReply, error]
}
