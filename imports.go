package upnext

import (
	"context"
	"time"
)

// ImportID names one import: "imp_" and a ULID.
type ImportID string

// ImportState is how far an import has come.
type ImportState string

// The states. A queued or running import goes on after a restart.
const (
	Queued    ImportState = "queued"
	Running   ImportState = "running"
	Succeeded ImportState = "succeeded" // to its end; single objects may have failed, see Failed
	Cancelled ImportState = "cancelled"
	Broken    ImportState = "failed" // could not go on, see Error
)

// OnMissing says what becomes of items whose objects have gone from the source.
type OnMissing string

// What can become of them. The zero value means KeepMissing.
const (
	KeepMissing   OnMissing = "keep"
	HideMissing   OnMissing = "hide"
	DeleteMissing OnMissing = "delete"
)

// Stage counts what one step of an import has done.
type Stage struct {
	Name   string // "listed", "read", "catalogued", "embedded", "understood", "indexed", "events"
	Done   int64
	Failed int64
	Busy   time.Duration // time spent in it, over all workers
}

// Import is the state of one import, as its maker sees it.
type Import struct {
	ID        ImportID
	Source    string // URL of a prefix, a manifest or a folder
	Format    string // "auto", "folders", "ndjson", "csv", "movielens", "events" or "viewers"
	OnMissing OnMissing
	State     ImportState
	Error     string
	Total     int64 // items found so far; final once listing is done
	Created   int64
	Updated   int64
	Unchanged int64
	Missing   int64 // items whose objects had gone
	Failed    int64
	Events    int64 // events brought along
	Stages    []Stage
	Causes    map[string]int64 // failures by cause
	QueuedAt  time.Time
	StartedAt time.Time
	EndedAt   time.Time
}

// Failure is a dead letter: one object or line that could not be taken.
type Failure struct {
	Seq    int64  // order within the import, set by the store
	Key    string // of the object
	Line   int    // in it, from 1; 0 where it has no lines
	Item   ItemID // if it was known
	Stage  string
	Cause  string // one of a few words, to count by: "syntax", "invalid", "thumbnail", "transcript", "missing", …
	Detail string
}

// Imports keeps imports and their dead letters. It is safe for concurrent use.
type Imports interface {
	// SaveImport inserts or replaces.
	SaveImport(ctx context.Context, t Tenant, imp Import) error

	// Import returns one, or ErrNotFound.
	Import(ctx context.Context, t Tenant, id ImportID) (Import, error)

	// ListImports returns the latest imports, newest first.
	ListImports(ctx context.Context, t Tenant, limit int) ([]Import, error)

	// AddFailures appends dead letters; the same key, line and stage of an
	// import counts once, so that a repeated batch does not double them.
	AddFailures(ctx context.Context, t Tenant, id ImportID, failures ...Failure) error

	// Failures returns up to limit dead letters with a Seq greater than after.
	Failures(ctx context.Context, t Tenant, id ImportID, after int64, limit int) ([]Failure, error)
}
