package upnext

import (
	"context"
	"time"
)

// Log is how far a tenant's log of events and slates has come, and which log
// it is: an archive that was made of another must not be continued.
type Log struct {
	ID     int64 // random, made once for each tenant of a database
	Events int64 // no event has a greater Seq; the newest may have a smaller one
	Slates int64 // the same for slates
}

// RetentionPolicy says what stays of a tenant's events. An event goes only
// where all three let it.
type RetentionPolicy struct {
	Latest   int       // events of each viewer, the latest by At, stay whatever their age
	Received time.Time // events accepted at or after it stay
	Archived int64     // events with a greater Seq stay
}

// Retention removes what need not be kept. It is safe for concurrent use.
type Retention interface {
	// Log describes the tenant's log.
	Log(ctx context.Context, t Tenant) (Log, error)

	// PruneEvents removes what the policy lets go, in small transactions, and
	// returns how many events that were, also beside an error. An event that is
	// gone is no longer known as a duplicate when it is sent again.
	PruneEvents(ctx context.Context, t Tenant, keep RetentionPolicy) (int, error)
}
