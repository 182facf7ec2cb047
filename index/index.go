// Package index is the port of vector search: one Index is one collection of
// vectors in one space. flat is the exact reference, rabitq the embedded
// default; indextest says what every engine promises.
package index

import (
	"context"
	"iter"

	"upnext"
	"upnext/filter"
)

// Entry is an item in a collection.
type Entry struct {
	ID     upnext.ItemID
	Vector []float32     // unit length, of the collection's dimension
	Fields upnext.Fields // what filters may ask; the engine keeps the columns of its Spec
}

// Query asks for the nearest entries to several vectors in one pass.
type Query struct {
	Vectors [][]float32
	K       int            // hits for each vector
	Filter  *filter.Filter // nil passes everything
	Vars    filter.Vars    // what the filter's user, context and now() mean
	Recall  float64        // share of the true nearest that is enough, in the mean, 0 to 1; 0 asks for the engine's best, and an engine may do better than asked
}

// Hit is one answer to a query.
type Hit struct {
	ID    upnext.ItemID
	Score float32 // inner product with the query, at least to int8 precision
	Hint  uint32  // a number that this collection mostly has for this id, small and above 0; 0: it has none
}

// Index is one collection of unit vectors of one length, compared by inner
// product. It is safe for concurrent use.
type Index interface {
	// Upsert adds entries or replaces those under the same ID, all or none.
	// When it returns, Search sees them and a crash does not lose them. A
	// vector of another length, with a NaN or not of unit length (±1e-3) is an
	// ErrInvalid that names the entry.
	Upsert(ctx context.Context, entries ...Entry) error

	// Delete removes ids. An absent id is not an error.
	Delete(ctx context.Context, ids ...upnext.ItemID) error

	// Search answers each of q.Vectors with at most q.K hits that pass q.Filter,
	// best first; ties go to the smaller id. What the engine cannot push down
	// it may let through: callers check again (filter.Filter.Match).
	Search(ctx context.Context, q Query) ([][]Hit, error)

	// Vectors returns the vectors of ids, nil for an absent one. Callers must
	// not change them.
	Vectors(ctx context.Context, ids ...upnext.ItemID) ([][]float32, error)

	// All yields every id once, in no order, as of some moment during the call.
	All(ctx context.Context) iter.Seq2[upnext.ItemID, error]
}

// Copier is what an Index may be besides: one that copies vectors into room
// that its caller uses again, where Vectors would make new room each time.
type Copier interface {
	// CopyVectors is Vectors, in room as far as it reaches and in new room
	// otherwise; it returns the room in which they lie, for the next call.
	// Callers may do with it what they want.
	CopyVectors(ctx context.Context, room []float32, ids ...upnext.ItemID) (vectors [][]float32, in []float32, err error)
}

// Scorer is what an Index may be besides: one that multiplies where the vectors
// lie, which spares reading and copying them.
type Scorer interface {
	// Products returns for each of queries its inner products with the vectors of
	// ids, at least to int8 precision; NaN for an absent one.
	Products(ctx context.Context, queries [][]float32, ids ...upnext.ItemID) ([][]float32, error)
}

// Spec is what a collection is made for.
type Spec struct {
	Dim    int                             // components of a vector
	Fields map[string]upnext.AttributeType // the columns that filters are pushed down to
}

// Info describes a collection.
type Info struct {
	Name     string
	Spec     Spec
	Len      int  // entries
	Promoted bool // the one that Active returns
}

// Collections are the collections of each tenant. Exactly one of a tenant's
// may be promoted: the one that requests are answered from. Safe for
// concurrent use.
type Collections interface {
	// Create makes an empty collection, or opens the one of that name; a
	// present one with another Dim is an ErrConflict, another set of Fields is
	// widened to. Names hold [a-z0-9-].
	Create(ctx context.Context, t upnext.Tenant, name string, spec Spec) (Index, error)

	// Active returns the promoted collection; ErrNotFound where none is.
	Active(ctx context.Context, t upnext.Tenant) (string, Index, error)

	// Promote makes name the active one at once, also for searches under way
	// elsewhere, and survives a restart.
	Promote(ctx context.Context, t upnext.Tenant, name string) error

	// Drop removes a collection and its data; ErrConflict for the promoted one.
	Drop(ctx context.Context, t upnext.Tenant, name string) error

	// List describes the tenant's collections by name.
	List(ctx context.Context, t upnext.Tenant) ([]Info, error)
}
