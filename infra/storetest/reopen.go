package storetest

import (
	"testing"

	"upnext"
)

// testReopen fills every store, closes the database and opens it again.
func testReopen(t *testing.T, open Open) {
	ctx := t.Context()
	s := open(t, "kept")
	ann := upnext.ViewerID{ID: "ann"}
	_, err := s.Catalog.Put(ctx, a, records(ids("i", 3), "one")...)
	ok(t, "put", err)
	_, err = s.Catalog.Delete(ctx, a, "i-001")
	ok(t, "delete", err)
	believe(t, s, a, "i-000", upnext.Understanding{Topics: []upnext.Label{{Value: "sea", Confidence: 0.5}}})
	_, err = s.Understandings.Correct(ctx, a, "i-002", upnext.Understanding{Topics: []upnext.Label{}})
	ok(t, "correct", err)
	ok(t, "mark", s.Indexings.Mark(ctx, a, upnext.Indexing{Item: "i-000", Collection: "c", Hash: "h:one"}))
	ok(t, "put schema", s.Schemas.PutSchema(ctx, a, "items", upnext.Schema{{Name: "depth", Type: upnext.Number}}))
	appended, err := s.Events.Append(ctx, a, stream("ann", 3)...)
	ok(t, "append", err)
	_, err = s.Viewers.PutViewer(ctx, a, upnext.Viewer{ID: ann, Locale: "en"})
	ok(t, "put viewer", err)
	ok(t, "record", s.Slates.Record(ctx, a, upnext.Slate{ID: "rec_1", Viewer: ann}))
	ok(t, "save import", s.Imports.SaveImport(ctx, a, upnext.Import{ID: "imp_1", State: upnext.Running}))
	ok(t, "add failure", s.Imports.AddFailures(ctx, a, "imp_1", upnext.Failure{Key: "k"}))
	before, err := s.Catalog.Changes(ctx, a, 0, 10)
	ok(t, "changes", err)
	ok(t, "close", s.Close())

	s = open(t, "kept")
	after, err := s.Catalog.Changes(ctx, a, 0, 10)
	ok(t, "changes", err)
	want(t, "changes", after, before)
	pending, err := s.Indexings.Pending(ctx, a, "c", "", 10)
	ok(t, "pending", err)
	want(t, "pending", pending, []upnext.ItemID{"i-002"})
	schema, err := s.Schemas.Schema(ctx, a, "items")
	ok(t, "schema", err)
	want(t, "schema", len(schema), 1)
	again, err := s.Events.Append(ctx, a, event("ann", 0), event("ann", 3))
	ok(t, "append", err)
	want(t, "a duplicate", again[0].Duplicate, true)
	if again[1].Seq <= appended[2].Seq {
		t.Errorf("seq %d after %d", again[1].Seq, appended[2].Seq)
	}
	_, err = s.Viewers.Viewer(ctx, a, ann)
	ok(t, "viewer", err)
	_, err = s.Slates.Slate(ctx, a, "rec_1")
	ok(t, "slate", err)
	imp, err := s.Imports.Import(ctx, a, "imp_1")
	ok(t, "import", err)
	want(t, "a running import goes on", imp.State, upnext.Running)
	failures, err := s.Imports.Failures(ctx, a, "imp_1", 0, 10)
	ok(t, "failures", err)
	want(t, "failures", len(failures), 1)
}
