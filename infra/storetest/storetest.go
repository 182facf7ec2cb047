// Package storetest is the contract of the root package's stores as code:
// every database that keeps them passes Test, and Bench compares their speed.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"upnext"
)

// Stores are all the stores of one open database.
type Stores struct {
	Catalog        upnext.Catalog
	Indexings      upnext.Indexings
	Understandings upnext.Understandings
	Schemas        upnext.Schemas
	Events         upnext.Events
	Withdrawals    upnext.Withdrawals
	Viewers        upnext.Viewers
	Merges         upnext.Merges
	Beats          upnext.Beats
	Holdings       upnext.Holdings
	Slates         upnext.Slates
	Cursors        upnext.Cursors
	Replies        upnext.Replies
	Imports        upnext.Imports
	Retention      upnext.Retention
	Measures       upnext.Measures
	Showings       upnext.Showings
	Locks          upnext.Locks

	// Close ends their use; what was kept must be there at the next Open.
	Close func() error
}

// Open opens the database of that name: an empty one at first use in a test,
// and what was kept when it is opened again after Close. It closes at the
// test's end what the test has not closed.
type Open func(t testing.TB, name string) Stores

// a and b are two tenants that must never see each other.
const (
	a upnext.Tenant = "a"
	b upnext.Tenant = "b"
)

// Test runs the suite.
func Test(t *testing.T, open Open) {
	for _, part := range []struct {
		name string
		test func(*testing.T, Open)
	}{
		{"catalog", testCatalog},
		{"indexings", testIndexings},
		{"understandings", testUnderstandings},
		{"schemas", testSchemas},
		{"events", testEvents},
		{"viewers", testViewers},
		{"merges", testMerges},
		{"beats", testBeats},
		{"holdings", testHoldings},
		{"slates", testSlates},
		{"cursors", testCursors},
		{"replies", testReplies},
		{"imports", testImports},
		{"retention", testRetention},
		{"measures", testMeasures},
		{"columns", testColumns},
		{"locks", testLocks},
		{"reopen", testReopen},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, open) })
	}
}

// failer is a test or one run of a rapid check.
type failer interface {
	Context() context.Context
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// want fails the test unless got and want are the same value; an empty list
// or map equals a nil one where the types are lists or maps themselves.
func want[T any](t failer, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) && !bothEmpty(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func bothEmpty(x, y any) bool {
	empty := func(v reflect.Value) bool {
		return (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
	}
	return empty(reflect.ValueOf(x)) && empty(reflect.ValueOf(y))
}

// ok fails the test at once on an error.
func ok(t failer, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// is fails the test unless err is of that kind and no other.
func is(t failer, what string, err, kind error) {
	t.Helper()
	for _, k := range []error{upnext.ErrNotFound, upnext.ErrInvalid, upnext.ErrConflict, upnext.ErrUnavailable} {
		if got, want := errors.Is(err, k), errors.Is(kind, k); got != want {
			t.Errorf("%s: error %v: is %q %v, want %v", what, err, k, got, want)
		}
	}
}

// ids returns prefix-000 to prefix-(n-1).
func ids(prefix string, n int) []upnext.ItemID {
	ids := make([]upnext.ItemID, n)
	for i := range ids {
		ids[i] = upnext.ItemID(fmt.Sprintf("%s-%03d", prefix, i))
	}
	return ids
}

// record returns a small record; its hash is made of its title.
func record(id upnext.ItemID, title string) upnext.Record {
	return upnext.Record{Item: upnext.Item{ID: id, Kind: "video", Title: title}, Hash: "h:" + title}
}

func records(ids []upnext.ItemID, title string) []upnext.Record {
	records := make([]upnext.Record, len(ids))
	for i, id := range ids {
		records[i] = record(id, title)
	}
	return records
}

func idsOf(records []upnext.Record) []upnext.ItemID {
	ids := make([]upnext.ItemID, len(records))
	for i, r := range records {
		ids[i] = r.Item.ID
	}
	return ids
}

// hard are ids that sort, compare or quote differently somewhere, in byte order.
func hard() []upnext.ItemID {
	hard := []upnext.ItemID{
		"%", "'; DROP TABLE items; --", "A", "Z", "_", "a", "a ", "a/b", "a/b/", "ab", "b", "i", "ä", "ß", "中文", "🎬",
	}
	slices.Sort(hard)
	return hard
}
