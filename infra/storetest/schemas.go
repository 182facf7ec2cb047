package storetest

import (
	"testing"

	"upnext"
)

func testSchemas(t *testing.T, open Open) {
	s, ctx := open(t, "schemas"), t.Context()
	schema := func(what string, tenant upnext.Tenant, kind string, w upnext.Schema) {
		t.Helper()
		got, err := s.Schemas.Schema(ctx, tenant, kind)
		ok(t, what, err)
		want(t, what, got, w)
	}
	one := upnext.Schema{
		{Name: "depth", Type: upnext.Number, Filterable: true},
		{Name: "a name with %_'", Type: upnext.Strings, Boostable: true, Embedded: true},
		{Name: "shot", Type: upnext.Time}, {Name: "hd", Type: upnext.Bool}, {Name: "note", Type: upnext.String},
	}
	schema("one that was never put", a, "items", nil)
	ok(t, "put", s.Schemas.PutSchema(ctx, a, "items", one))
	schema("the same order and flags", a, "items", one)
	schema("another kind", a, "users", nil)
	schema("another tenant", b, "items", nil)
	ok(t, "put another", s.Schemas.PutSchema(ctx, a, "items", one[:1]))
	schema("replaced", a, "items", one[:1])
	ok(t, "put an empty one", s.Schemas.PutSchema(ctx, a, "items", nil))
	schema("emptied", a, "items", nil)
}
