package storetest

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func testViewers(t *testing.T, open Open) {
	t.Run("round trip", func(t *testing.T) { viewerRoundTrip(t, open(t, "viewers")) })
	t.Run("all", func(t *testing.T) { viewerAll(t, open(t, "viewers")) })
}

func viewerRoundTrip(t *testing.T, s Stores) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		in := upnext.Viewer{
			ID: viewerIDs().Draw(rt, "id"), Locale: texts().Draw(rt, "locale"), Region: texts().Draw(rt, "region"),
			BirthYear: rapid.IntRange(0, 2100).Draw(rt, "birth year"), Attributes: attributes().Draw(rt, "attributes"),
			UpdatedAt: times().Draw(rt, "updated").Add(time.Microsecond), // zero means now
		}
		_ = s.Viewers.DeleteViewer(ctx, a, in.ID)
		_, err := s.Viewers.PutViewer(ctx, a, in)
		ok(rt, "put", err)
		out, err := s.Viewers.Viewer(ctx, a, in.ID)
		ok(rt, "viewer", err)
		want(rt, "viewer", out, in)
	})
}

func viewerAll(t *testing.T, s Stores) {
	ctx := t.Context()
	put := func(tenant upnext.Tenant, v upnext.Viewer, w upnext.PutStatus) {
		t.Helper()
		got, err := s.Viewers.PutViewer(ctx, tenant, v)
		ok(t, "put", err)
		want(t, "put "+v.ID.String(), got, w)
	}
	ann := upnext.ViewerID{ID: "ann"}
	put(a, upnext.Viewer{ID: ann, Locale: "en", Attributes: map[string]any{"plan": "gold"}}, upnext.Created)
	put(a, upnext.Viewer{ID: ann, Locale: "en", Attributes: map[string]any{"plan": "gold"}, UpdatedAt: time.Now()}, upnext.Unchanged)
	put(a, upnext.Viewer{ID: ann, Locale: "zh"}, upnext.Updated)
	got, err := s.Viewers.Viewer(ctx, a, ann)
	ok(t, "viewer", err)
	if got.Locale != "zh" || got.Attributes != nil || time.Since(got.UpdatedAt) > time.Hour {
		t.Errorf("viewer %+v, want what was put last, now", got)
	}
	_, err = s.Viewers.PutViewer(ctx, a, upnext.Viewer{ID: ann, Attributes: map[string]any{"age": 7}})
	is(t, "an int is no attribute", err, upnext.ErrInvalid)
	_, err = s.Viewers.PutViewer(ctx, a, upnext.Viewer{ID: ann, Attributes: map[string]any{"age": math.Inf(1)}})
	is(t, "nor is an infinite number", err, upnext.ErrInvalid)

	// The same text as a user's id and an anonymous one's are two viewers.
	anon := upnext.ViewerID{ID: "ann", Anonymous: true}
	_, err = s.Viewers.Viewer(ctx, a, anon)
	is(t, "the anonymous ann", err, upnext.ErrNotFound)
	_, err = s.Viewers.Viewer(ctx, b, ann)
	is(t, "ann in another tenant", err, upnext.ErrNotFound)
	put(a, upnext.Viewer{ID: anon, Region: "FR"}, upnext.Created)
	put(b, upnext.Viewer{ID: ann}, upnext.Created)
	put(a, upnext.Viewer{ID: upnext.ViewerID{ID: "Zoe"}}, upnext.Created)

	list := func(after string, limit int, w ...string) {
		t.Helper()
		got, err := s.Viewers.ListViewers(ctx, a, after, limit)
		ok(t, "list", err)
		var names []string
		for _, v := range got {
			names = append(names, v.ID.String())
		}
		want(t, "list after "+after, names, w)
	}
	list("", 10, "a:ann", "u:Zoe", "u:ann")
	list("a:ann", 1, "u:Zoe")
	list("u:ann", 10)

	ok(t, "delete", s.Viewers.DeleteViewer(ctx, a, ann))
	ok(t, "delete again", s.Viewers.DeleteViewer(ctx, a, ann))
	_, err = s.Viewers.Viewer(ctx, a, ann)
	is(t, "deleted", err, upnext.ErrNotFound)
	_, err = s.Viewers.Viewer(ctx, a, anon)
	ok(t, "the anonymous ann stays", err)
	_, err = s.Viewers.Viewer(ctx, b, ann)
	ok(t, "the other tenant's ann stays", err)
}
