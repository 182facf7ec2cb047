package storetest

import (
	"strings"
	"testing"

	"upnext"
)

// testColumns gives every store ids that PostgreSQL refuses, and SQLite would
// take: both say that they are invalid. Texts within a body may hold NUL; it is
// Validate of the nouns that refuses it there.
func testColumns(t *testing.T, open Open) {
	s, ctx := open(t, "columns"), t.Context()
	for name, bad := range map[string]string{"NUL": "a\x00b", "no UTF-8": "\xff", "too long": strings.Repeat("x", 3_000)} {
		id, viewer := upnext.ItemID(bad), upnext.ViewerID{ID: bad}
		e := event("ann", 1)
		_, err := s.Events.Append(ctx, upnext.Tenant(bad), e)
		is(t, name+": append to a tenant", err, upnext.ErrInvalid)
		e.ID = upnext.EventID(bad)
		_, err = s.Events.Append(ctx, a, e)
		is(t, name+": append an event id", err, upnext.ErrInvalid)
		e = event(bad, 1)
		_, err = s.Events.Append(ctx, a, e)
		is(t, name+": append a viewer", err, upnext.ErrInvalid)
		_, err = s.Events.Erase(ctx, a, viewer)
		is(t, name+": erase", err, upnext.ErrInvalid)
		_, err = s.Catalog.Put(ctx, a, record(id, "x"))
		is(t, name+": put an item id", err, upnext.ErrInvalid)
		r := record("x", "x")
		r.Source = bad
		_, err = s.Catalog.Put(ctx, a, r)
		is(t, name+": put a source", err, upnext.ErrInvalid)
		_, err = s.Viewers.PutViewer(ctx, a, upnext.Viewer{ID: viewer})
		is(t, name+": put a viewer", err, upnext.ErrInvalid)
		is(t, name+": put a schema", s.Schemas.PutSchema(ctx, a, bad, nil), upnext.ErrInvalid)
		is(t, name+": mark", s.Indexings.Mark(ctx, a, upnext.Indexing{Item: id, Collection: "c"}), upnext.ErrInvalid)
		is(t, name+": save an import", s.Imports.SaveImport(ctx, a, upnext.Import{ID: upnext.ImportID(bad)}), upnext.ErrInvalid)
	}
	for _, bad := range []string{"a\x00b", "\xff"} {
		_, err := s.Catalog.Get(ctx, a, upnext.ItemID(bad))
		is(t, "get", err, upnext.ErrInvalid)
		_, err = s.Viewers.Viewer(ctx, a, upnext.ViewerID{ID: bad})
		is(t, "viewer", err, upnext.ErrInvalid)
	}
}
