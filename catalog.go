package upnext

import (
	"context"
	"time"
)

// Record is an item as the catalogue keeps it.
type Record struct {
	Item          Item
	Hash          string // of everything that its vectors are made of; an import skips what has not changed
	Source        string // URL of the import that brought it; empty when it came by the API
	Understanding Understanding
	Version       int64 // grows with every change in the tenant's catalogue; set by the catalogue
	Deleted       bool  // a tombstone: only Changes shows it
	UpdatedAt     time.Time

	Only *int64 // Put's condition: the Version that the item must stand at, 0 for none there; nil: whatever it is
}

// PutStatus says what Put did with a record.
type PutStatus string

// The outcomes of Put.
const (
	Created   PutStatus = "created"
	Updated   PutStatus = "updated"
	Unchanged PutStatus = "unchanged" // same Hash and same Item: nothing written, the Version stays
)

// Catalog keeps the items of every tenant. It is safe for concurrent use;
// what returned without an error survives a crash.
type Catalog interface {
	// Put inserts or replaces records by Item.ID, all or none, and reports one
	// status for each. It ignores their Understanding, Version and UpdatedAt.
	// ErrConflict, and nothing put, where an item is not as its Only demands.
	Put(ctx context.Context, t Tenant, records ...Record) ([]PutStatus, error)

	// Get returns the records of those ids that exist, in the order of ids.
	Get(ctx context.Context, t Tenant, ids ...ItemID) ([]Record, error)

	// Delete removes items and leaves tombstones. It returns how many there were.
	Delete(ctx context.Context, t Tenant, ids ...ItemID) (int, error)

	// List returns up to limit records with an id greater than after, by id
	// (byte order). An empty source lists all; else only that import's.
	List(ctx context.Context, t Tenant, source string, after ItemID, limit int) ([]Record, error)

	// Changes returns up to limit records, tombstones included, whose Version
	// is greater than after, by Version: an item shows once, as it stands now.
	// A reader that saw version v can go on from v without missing a change.
	Changes(ctx context.Context, t Tenant, after int64, limit int) ([]Record, error)
}

// Indexing says how far an item has come in one collection.
type Indexing struct {
	Item       ItemID
	Collection string
	Hash       string    // of the Record that was embedded
	At         time.Time // since when it is searchable; zero while it is not
	Text       string    // "done", "none" (nothing to embed) or why it failed
	Image      string    // the same for the thumbnail
}

// Indexings keeps each item's way into each collection, so that work which a
// crash interrupted is found again. It is safe for concurrent use.
type Indexings interface {
	// Mark inserts or replaces.
	Mark(ctx context.Context, t Tenant, done ...Indexing) error

	// Get returns the marks of those ids that have one in the collection.
	Get(ctx context.Context, t Tenant, collection string, ids ...ItemID) ([]Indexing, error)

	// Pending returns up to limit items greater than after, by id, that are in
	// the catalogue and have no mark in the collection with their present Hash.
	Pending(ctx context.Context, t Tenant, collection string, after ItemID, limit int) ([]ItemID, error)

	// Indexed returns up to limit items greater than after, by id, that a mark
	// says are searchable in the collection (At is set), whatever their Hash.
	Indexed(ctx context.Context, t Tenant, collection string, after ItemID, limit int) ([]ItemID, error)

	// Tally counts the items of the catalogue by their way into a collection.
	Tally(ctx context.Context, t Tenant, collection string) (Tally, error)

	// Forget removes every mark of a collection that has been dropped.
	Forget(ctx context.Context, t Tenant, collection string) error
}

// Tally says how many items have come how far into one collection.
type Tally struct {
	Items      int64 // in the catalogue
	Searchable int64 // of them, as they stand now
	Bare       int64 // of them, without anything that a vector could be made of
}

// Pending is how many items still have to be embedded.
func (t Tally) Pending() int64 { return t.Items - t.Searchable - t.Bare }

// Tenants is what a Catalog may also be: one that knows whose items it keeps.
// Where it is not, DefaultTenant alone is looked after in the background.
type Tenants interface {
	// Tenants returns every tenant whose catalogue was ever written, by name.
	Tenants(ctx context.Context) ([]Tenant, error)
}
