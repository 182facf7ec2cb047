package storetest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func testImports(t *testing.T, open Open) {
	t.Run("round trip", func(t *testing.T) { importRoundTrip(t, open(t, "imports")) })
	t.Run("list", func(t *testing.T) { importList(t, open(t, "imports")) })
	t.Run("failures", func(t *testing.T) { importFailures(t, open(t, "imports")) })
}

func importRoundTrip(t *testing.T, s Stores) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		count := func(label string) int64 { return rapid.Int64Range(0, math.MaxInt64).Draw(rt, label) }
		in := upnext.Import{
			ID: upnext.ImportID(identifiers().Draw(rt, "id")), Source: texts().Draw(rt, "source"),
			Format: texts().Draw(rt, "format"), OnMissing: upnext.OnMissing(texts().Draw(rt, "on missing")),
			State: upnext.ImportState(texts().Draw(rt, "state")), Error: texts().Draw(rt, "error"),
			Total: count("total"), Created: count("created"), Updated: count("updated"), Unchanged: count("unchanged"),
			Missing: count("missing"), Failed: count("failed"), Events: count("events"),
			Stages: lists(rapid.Custom(func(t *rapid.T) upnext.Stage {
				return upnext.Stage{Name: texts().Draw(t, "name"), Done: count("done"), Failed: count("failed"), Busy: durations().Draw(t, "busy")}
			})).Draw(rt, "stages"),
			Causes:   maps(rapid.Int64()).Draw(rt, "causes"),
			QueuedAt: times().Draw(rt, "queued"), StartedAt: times().Draw(rt, "started"), EndedAt: times().Draw(rt, "ended"),
		}
		ok(rt, "save", s.Imports.SaveImport(ctx, a, in))
		out, err := s.Imports.Import(ctx, a, in.ID)
		ok(rt, "import", err)
		want(rt, "import", out, in)
	})
}

func importList(t *testing.T, s Stores) {
	ctx := t.Context()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, id := range []upnext.ImportID{"imp_2", "imp_1", "imp_3"} {
		ok(t, "save", s.Imports.SaveImport(ctx, a, upnext.Import{ID: id, QueuedAt: at.Add(time.Duration(i) * time.Hour)}))
	}
	ok(t, "save in another tenant", s.Imports.SaveImport(ctx, b, upnext.Import{ID: "imp_9", QueuedAt: at, State: upnext.Queued}))
	ok(t, "replace", s.Imports.SaveImport(ctx, a, upnext.Import{ID: "imp_2", QueuedAt: at, State: upnext.Running}))
	list := func(limit int, w ...upnext.ImportID) {
		t.Helper()
		got, err := s.Imports.ListImports(ctx, a, limit)
		ok(t, "list", err)
		var ids []upnext.ImportID
		for _, imp := range got {
			ids = append(ids, imp.ID)
		}
		want(t, "newest first", ids, w)
	}
	list(10, "imp_3", "imp_1", "imp_2")
	list(1, "imp_3")
	got, err := s.Imports.Import(ctx, a, "imp_2")
	ok(t, "import", err)
	want(t, "replaced", got.State, upnext.Running)
	_, err = s.Imports.Import(ctx, a, "imp_9")
	is(t, "another tenant's import", err, upnext.ErrNotFound)
}

func importFailures(t *testing.T, s Stores) {
	ctx := t.Context()
	add := func(tenant upnext.Tenant, id upnext.ImportID, failures ...upnext.Failure) {
		t.Helper()
		ok(t, "add", s.Imports.AddFailures(ctx, tenant, id, failures...))
	}
	list := func(id upnext.ImportID, after int64, limit int) []upnext.Failure {
		t.Helper()
		got, err := s.Imports.Failures(ctx, a, id, after, limit)
		ok(t, "failures", err)
		for i := range got {
			if got[i].Seq <= after {
				t.Errorf("seq %d after %d", got[i].Seq, after)
			}
			after = got[i].Seq
		}
		return got
	}
	one := upnext.Failure{Key: "a/b.ndjson", Line: 7, Item: "v7", Stage: "read", Cause: "syntax", Detail: "unexpected end"}
	other := one
	other.Stage, other.Cause = "embedded", "thumbnail"
	add(a, "imp_1", one, one, other)
	again := one
	again.Detail = "another word for it"
	add(a, "imp_1", again) // a batch that is repeated
	add(a, "imp_2", one)
	add(b, "imp_1", one, upnext.Failure{Key: "z"})
	add(a, "imp_1")

	got := list("imp_1", 0, 10)
	if len(got) != 2 {
		t.Fatalf("%d failures, want 2: %+v", len(got), got)
	}
	first := got[0].Seq
	got[0].Seq, got[1].Seq = 0, 0
	want(t, "the first word of each stays", got, []upnext.Failure{one, other})
	want(t, "after the first", len(list("imp_1", first, 10)), 1)
	want(t, "another import", len(list("imp_2", 0, 10)), 1)
	want(t, "an import without any", list("imp_3", 0, 10), nil)

	add(a, "imp_4", upnext.Failure{Key: "\xff\x00.json", Detail: strings.Repeat("长", 100_000)})
	rough := list("imp_4", 0, 10)
	if len(rough) != 1 || !strings.HasPrefix(rough[0].Detail, "长长长") {
		t.Errorf("a failure with bytes that are no text: %+v, want it kept, cut perhaps", rough)
	}
	for i := range 250 {
		add(a, "imp_5", upnext.Failure{Key: fmt.Sprint("k", i%125), Stage: "read"})
	}
	var paged int
	for after := int64(0); ; {
		page := list("imp_5", after, 40)
		if len(page) == 0 {
			break
		}
		paged, after = paged+len(page), page[len(page)-1].Seq
	}
	want(t, "in pages, each once", paged, 125)
}
