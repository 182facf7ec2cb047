package upnext

import (
	"context"
	"time"
)

// Reply is what a request was answered with, as far as it is repeated.
type Reply struct {
	Status int    // of HTTP
	Type   string // of the content
	Body   []byte
	Lost   bool     // it was too long to be kept: that there was one is all that is known
	Viewer ViewerID // whom it tells of, so that it goes with them; zero: nobody
}

// Claim is a request's right to be answered under an idempotency key.
type Claim struct {
	Key    string    // the caller's, at most MaxID bytes
	Digest string    // of all that is asked, so that another request is noticed
	At     time.Time // when it came, to the microsecond; it tells a claim from a later one of the same key
}

// How long replies are kept, and after which time a claim without a reply is
// nobody's any more: its server has died.
const (
	KeepReply    = 24 * time.Hour
	AbandonClaim = 5 * time.Minute
)

// Replies remembers what requests with an idempotency key were answered with,
// so that one that is sent again is answered alike and not done twice, by
// whichever replica. It is safe for concurrent use.
type Replies interface {
	// Claim takes a key for a request. claimed says that it is this one's to
	// answer, and to be ended with Keep or Release; else the reply is the one of
	// the first time. ErrConflict while that one is still being answered,
	// ErrInvalid where it had another digest. A key is free again after KeepReply,
	// and after AbandonClaim where nobody ended its claim.
	Claim(ctx context.Context, t Tenant, c Claim) (reply Reply, claimed bool, err error)

	// Keep ends a claim with its reply. Where another has taken it over, nothing is kept.
	Keep(ctx context.Context, t Tenant, c Claim, r Reply) error

	// Release ends a claim as if it had never been.
	Release(ctx context.Context, t Tenant, c Claim) error

	// EraseReplies removes those that tell of a viewer and returns how many there were.
	EraseReplies(ctx context.Context, t Tenant, viewer ViewerID) (int, error)

	// PruneReplies removes claims from before a time, and of each tenant that has
	// more than so many bytes the oldest replies. It returns how many went.
	PruneReplies(ctx context.Context, before time.Time, bytes int64) (int, error)
}
