package upnext

import "context"

// Locks are names that one holder has at a time, among all processes that
// share a database. They are safe for concurrent use.
type Locks interface {
	// Lock waits until nobody else holds the name, or ctx ends. unlock gives it
	// back, once; the end of the holder's process does too.
	Lock(ctx context.Context, name string) (unlock func(), err error)
}
