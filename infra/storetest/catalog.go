package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func testCatalog(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Stores){
		"round trip":          catalogRoundTrip,
		"put":                 catalogPut,
		"all or none":         catalogAllOrNone,
		"put only":            catalogPutOnly,
		"delete":              catalogDelete,
		"list":                catalogList,
		"changes":             catalogChanges,
		"changes are gapless": catalogGapless,
		"tenants":             catalogTenants,
		"many":                catalogMany,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, "catalog")) })
	}
}

// catalogRoundTrip compares a record that went in with what comes back from
// each of Get, List and Changes.
func catalogRoundTrip(t *testing.T, s Stores) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		in := upnext.Record{
			Item: items().Draw(rt, "item"), Hash: identifiers().Draw(rt, "hash"), Source: identifiers().Draw(rt, "source"),
		}
		if _, err := s.Catalog.Put(ctx, a, in); err != nil {
			rt.Fatal(err)
		}
		got, err := s.Catalog.Get(ctx, a, in.Item.ID)
		if err != nil || len(got) != 1 {
			rt.Fatalf("Get(%q): %v, %v, want one record", in.Item.ID, got, err)
		}
		out := got[0]
		if out.Version <= 0 || time.Since(out.UpdatedAt) > time.Hour || out.Deleted {
			rt.Fatalf("version %d, updated at %s, deleted %v", out.Version, out.UpdatedAt, out.Deleted)
		}
		in.Version, in.UpdatedAt = out.Version, out.UpdatedAt
		want(rt, "Get", out, in)
		listed, err := s.Catalog.List(ctx, a, in.Source, "", math.MaxInt32)
		if err != nil || !slices.ContainsFunc(listed, func(r upnext.Record) bool { return r.Item.ID == in.Item.ID }) {
			rt.Fatalf("List(%q): %v, %v, want it there", in.Source, idsOf(listed), err)
		}
		changed, err := s.Catalog.Changes(ctx, a, in.Version-1, 1)
		if err != nil {
			rt.Fatal(err)
		}
		want(rt, "Changes", changed, []upnext.Record{in})
		// The same again changes nothing.
		status, err := s.Catalog.Put(ctx, a, in)
		if err != nil || status[0] != upnext.Unchanged {
			rt.Fatalf("put again: %v, %v, want unchanged", status, err)
		}
	})
}

func catalogPut(t *testing.T, s Stores) {
	ctx := t.Context()
	put := func(what string, wantStatus []upnext.PutStatus, records ...upnext.Record) {
		t.Helper()
		got, err := s.Catalog.Put(ctx, a, records...)
		ok(t, what, err)
		want(t, what, got, wantStatus)
	}
	get := func(id upnext.ItemID) upnext.Record {
		t.Helper()
		got, err := s.Catalog.Get(ctx, a, id)
		ok(t, "get", err)
		if len(got) != 1 {
			t.Fatalf("get %s: %d records, want 1", id, len(got))
		}
		return got[0]
	}
	put("nothing", nil)
	put("two new", []upnext.PutStatus{upnext.Created, upnext.Created}, record("x", "one"), record("y", "one"))
	x, y := get("x"), get("y")
	if x.Version == y.Version {
		t.Errorf("both have version %d", x.Version)
	}
	put("one of two changed", []upnext.PutStatus{upnext.Unchanged, upnext.Updated}, record("x", "one"), record("y", "two"))
	want(t, "the unchanged one", get("x"), x)
	if got := get("y"); got.Version <= max(x.Version, y.Version) || got.Item.Title != "two" {
		t.Errorf("the changed one: %+v, want title two and a version above %d", got, y.Version)
	}
	rehashed := record("x", "one")
	rehashed.Hash = "another"
	put("another hash", []upnext.PutStatus{upnext.Updated}, rehashed)
	moved := rehashed
	moved.Source = "file:elsewhere"
	put("another source", []upnext.PutStatus{upnext.Updated}, moved)
	want(t, "source", get("x").Source, "file:elsewhere")

	ignored := moved
	ignored.Version, ignored.UpdatedAt, ignored.Deleted = 99, time.Now().Add(time.Hour), true
	ignored.Understanding.Topics = []upnext.Label{{Value: "made up"}}
	put("fields that Put ignores", []upnext.PutStatus{upnext.Unchanged}, ignored)
	want(t, "understanding", get("x").Understanding, upnext.Understanding{})
	put("an id twice", []upnext.PutStatus{upnext.Created, upnext.Updated, upnext.Unchanged},
		record("z", "one"), record("z", "two"), record("z", "two"))
	want(t, "the last of them", get("z").Item.Title, "two")

	got, err := s.Catalog.Get(ctx, a, "z", "none", "x", "z")
	ok(t, "get", err)
	want(t, "the order of ids", idsOf(got), []upnext.ItemID{"z", "x", "z"})
}

func catalogAllOrNone(t *testing.T, s Stores) {
	ctx := t.Context()
	bad := record("bad", "bad")
	bad.Item.Attributes = map[string]any{"depth": struct{ X int }{1}}
	_, err := s.Catalog.Put(ctx, a, record("good", "good"), bad)
	is(t, "an attribute of no type", err, upnext.ErrInvalid)
	bad.Item.Attributes = map[string]any{"depth": math.NaN()}
	_, err = s.Catalog.Put(ctx, a, record("good", "good"), bad)
	is(t, "an attribute that is no number", err, upnext.ErrInvalid)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err = s.Catalog.Put(cancelled, a, record("good", "good")); err == nil {
		t.Error("a cancelled Put returned no error")
	}
	got, err := s.Catalog.Changes(ctx, a, 0, 10)
	ok(t, "changes", err)
	want(t, "what was written", idsOf(got), nil)
}

func catalogDelete(t *testing.T, s Stores) {
	ctx := t.Context()
	_, err := s.Catalog.Put(ctx, a, records(ids("i", 3), "one")...)
	ok(t, "put", err)
	n, err := s.Catalog.Delete(ctx, a, "i-000", "none", "i-002", "i-000")
	ok(t, "delete", err)
	want(t, "deleted", n, 2)
	n, err = s.Catalog.Delete(ctx, a, "i-000")
	ok(t, "delete again", err)
	want(t, "deleted again", n, 0)
	got, err := s.Catalog.Get(ctx, a, ids("i", 3)...)
	ok(t, "get", err)
	want(t, "left", idsOf(got), []upnext.ItemID{"i-001"})
	got, err = s.Catalog.List(ctx, a, "", "", 10)
	ok(t, "list", err)
	want(t, "listed", idsOf(got), []upnext.ItemID{"i-001"})
	status, err := s.Catalog.Put(ctx, a, record("i-000", "one"))
	ok(t, "put again", err)
	want(t, "put again", status, []upnext.PutStatus{upnext.Created})
}

func catalogList(t *testing.T, s Stores) {
	ctx := t.Context()
	all := hard()
	for i, id := range all {
		r := record(id, "one")
		if i%2 == 0 {
			r.Source = "s3://even"
		}
		_, err := s.Catalog.Put(ctx, a, r)
		ok(t, "put", err)
	}
	var even []upnext.ItemID
	for i := 0; i < len(all); i += 2 {
		even = append(even, all[i])
	}
	pages := func(source string) []upnext.ItemID {
		var got []upnext.ItemID
		after := upnext.ItemID("")
		for {
			page, err := s.Catalog.List(ctx, a, source, after, 3)
			ok(t, "list", err)
			if len(page) == 0 {
				return got
			}
			if len(page) > 3 {
				t.Fatalf("%d records, 3 asked for", len(page))
			}
			got = append(got, idsOf(page)...)
			after = got[len(got)-1]
		}
	}
	want(t, "all, in pages", pages(""), all)
	want(t, "a source's, in pages", pages("s3://even"), even)
	want(t, "another source's", pages("s3://odd"), nil)
	none, err := s.Catalog.List(ctx, a, "", "", 0)
	ok(t, "list none", err)
	want(t, "limit 0", idsOf(none), nil)
}

func catalogChanges(t *testing.T, s Stores) {
	ctx := t.Context()
	changes := func(after int64, limit int) []upnext.Record {
		t.Helper()
		got, err := s.Catalog.Changes(ctx, a, after, limit)
		ok(t, "changes", err)
		for i := 1; i < len(got); i++ {
			if got[i].Version <= got[i-1].Version {
				t.Errorf("version %d after %d", got[i].Version, got[i-1].Version)
			}
		}
		return got
	}
	_, err := s.Catalog.Put(ctx, a, records(ids("i", 4), "one")...)
	ok(t, "put", err)
	first := changes(0, 10)
	want(t, "in the order of Put", idsOf(first), ids("i", 4))
	want(t, "a page", idsOf(changes(first[0].Version, 2)), []upnext.ItemID{"i-001", "i-002"})

	seen := first[3].Version
	_, err = s.Catalog.Put(ctx, a, record("i-002", "two"))
	ok(t, "put", err)
	_, err = s.Catalog.Delete(ctx, a, "i-001", "i-003")
	ok(t, "delete", err)
	_, err = s.Catalog.Put(ctx, a, record("i-003", "back"), record("i-000", "one"))
	ok(t, "put", err)
	later := changes(seen, 10)
	want(t, "each changed item once, as it stands", idsOf(later), []upnext.ItemID{"i-002", "i-001", "i-003"})
	want(t, "a tombstone", later[1].Deleted, true)
	want(t, "of which only the id is left", later[1].Item, upnext.Item{ID: "i-001"})
	want(t, "re-created", later[2].Deleted, false)
	want(t, "re-created", later[2].Item.Title, "back")
	want(t, "all, the unchanged first", idsOf(changes(0, 10)), []upnext.ItemID{"i-000", "i-002", "i-001", "i-003"})
	want(t, "after the last", idsOf(changes(later[2].Version, 10)), nil)
}

// catalogGapless reads Changes while writers run: a reader that goes on from
// the last version it saw must see every item in the end.
func catalogGapless(t *testing.T, s Stores) {
	ctx := t.Context()
	const writers, each = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := upnext.ItemID(fmt.Sprintf("w%d-%d", w, i))
				if _, err := s.Catalog.Put(ctx, a, record(id, "one"), record(id+"+", "one")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	seen := map[upnext.ItemID]bool{}
	for after, last := int64(0), false; ; {
		page, err := s.Catalog.Changes(ctx, a, after, 7)
		ok(t, "changes", err)
		for _, r := range page {
			seen[r.Item.ID], after = true, r.Version
		}
		if len(page) == 0 && last {
			break
		}
		select {
		case <-ended:
			last = true
		default:
		}
	}
	want(t, "items seen", len(seen), writers*each*2)
}

func catalogTenants(t *testing.T, s Stores) {
	ctx := t.Context()
	for _, tenant := range []upnext.Tenant{a, b} {
		status, err := s.Catalog.Put(ctx, tenant, record("shared", string(tenant)))
		ok(t, "put", err)
		want(t, "put", status, []upnext.PutStatus{upnext.Created})
	}
	n, err := s.Catalog.Delete(ctx, a, "shared")
	ok(t, "delete", err)
	want(t, "deleted", n, 1)
	got, err := s.Catalog.Get(ctx, b, "shared")
	ok(t, "get", err)
	if len(got) != 1 || got[0].Item.Title != "b" {
		t.Errorf("the other tenant has %+v, want its own", got)
	}
	got, err = s.Catalog.Changes(ctx, b, 0, 10)
	ok(t, "changes", err)
	if len(got) != 1 || got[0].Deleted {
		t.Errorf("the other tenant's changes are %+v, want one put", got)
	}
	got, err = s.Catalog.List(ctx, a, "", "", 10)
	ok(t, "list", err)
	want(t, "left in the first", idsOf(got), nil)
}

// catalogMany goes past what one SQL statement takes.
func catalogMany(t *testing.T, s Stores) {
	ctx := t.Context()
	many := ids("m", 1_203)
	status, err := s.Catalog.Put(ctx, a, records(many, "one")...)
	ok(t, "put", err)
	want(t, "statuses", len(status), len(many))
	slices.Reverse(many)
	got, err := s.Catalog.Get(ctx, a, many...)
	ok(t, "get", err)
	want(t, "got", idsOf(got), many)
	n, err := s.Catalog.Delete(ctx, a, many...)
	ok(t, "delete", err)
	want(t, "deleted", n, len(many))
}
