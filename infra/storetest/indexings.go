package storetest

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func testIndexings(t *testing.T, open Open) {
	t.Run("round trip", func(t *testing.T) { indexingRoundTrip(t, open(t, "indexings")) })
	t.Run("pending", func(t *testing.T) { indexingPending(t, open(t, "indexings")) })
	t.Run("deleted", func(t *testing.T) { indexingDeleted(t, open(t, "indexings")) })
	t.Run("indexed", func(t *testing.T) { indexingIndexed(t, open(t, "indexings")) })
}

func indexingRoundTrip(t *testing.T, s Stores) {
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		in := upnext.Indexing{
			Item: upnext.ItemID(identifiers().Draw(rt, "item")), Collection: identifiers().Draw(rt, "collection"),
			Hash: identifiers().Draw(rt, "hash"), At: times().Draw(rt, "at"),
			Text: identifiers().Draw(rt, "text"), Image: identifiers().Draw(rt, "image"),
		}
		ok(rt, "mark", s.Indexings.Mark(ctx, a, in))
		got, err := s.Indexings.Get(ctx, a, in.Collection, in.Item)
		ok(rt, "get", err)
		want(rt, "mark", got, []upnext.Indexing{in})
	})
	ok(t, "mark nothing", s.Indexings.Mark(ctx, a))
	ok(t, "mark", s.Indexings.Mark(ctx, a, upnext.Indexing{Item: "x", Collection: "c", Hash: "1"},
		upnext.Indexing{Item: "y", Collection: "c", Hash: "1"}, upnext.Indexing{Item: "x", Collection: "d", Hash: "2"}))
	ok(t, "mark in another tenant", s.Indexings.Mark(ctx, b, upnext.Indexing{Item: "x", Collection: "c", Hash: "3"}))
	got, err := s.Indexings.Get(ctx, a, "c", "y", "none", "x")
	ok(t, "get", err)
	want(t, "marks in the order of ids", got,
		[]upnext.Indexing{{Item: "y", Collection: "c", Hash: "1"}, {Item: "x", Collection: "c", Hash: "1"}})
	broken := upnext.Indexing{Item: "x", Collection: "c", Hash: "1", Text: "endpoint said \xff\x00"}
	ok(t, "mark with a reason in bytes that are no text", s.Indexings.Mark(ctx, a, broken))
}

func indexingPending(t *testing.T, s Stores) {
	ctx := t.Context()
	pending := func(collection string, after upnext.ItemID, limit int) []upnext.ItemID {
		t.Helper()
		got, err := s.Indexings.Pending(ctx, a, collection, after, limit)
		ok(t, "pending", err)
		return got
	}
	all := hard()
	_, err := s.Catalog.Put(ctx, a, records(all, "one")...)
	ok(t, "put", err)
	_, err = s.Catalog.Put(ctx, b, record("elsewhere", "one"))
	ok(t, "put", err)
	want(t, "all at first", pending("c", "", 100), all)
	want(t, "a page", pending("c", all[1], 2), all[2:4])

	done := []upnext.Indexing{
		{Item: all[0], Collection: "c", Hash: "h:one", At: time.Now(), Text: "done"},
		{Item: all[1], Collection: "c", Hash: "h:zero"},              // of an earlier state
		{Item: all[2], Collection: "d", Hash: "h:one"},               // in another collection
		{Item: all[3], Collection: "c", Hash: "h:one", Text: "poor"}, // tried, and known to fail
	}
	ok(t, "mark", s.Indexings.Mark(ctx, a, done...))
	ok(t, "mark in another tenant", s.Indexings.Mark(ctx, b, upnext.Indexing{Item: all[4], Collection: "c", Hash: "h:one"}))
	left := slices.Concat(all[1:3], all[4:])
	want(t, "what has no mark of its hash", pending("c", "", 100), left)
	_, err = s.Catalog.Put(ctx, a, record(all[0], "two"))
	ok(t, "put", err)
	want(t, "what has changed since", pending("c", "", 1), all[:1])
	want(t, "none", pending("c", "", 0), nil)
}

// indexingDeleted holds a mark to its item's life: an index has dropped a
// deleted item, so one that comes back unchanged must be embedded again.
func indexingDeleted(t *testing.T, s Stores) {
	ctx := t.Context()
	mark := upnext.Indexing{Item: "x", Collection: "c", Hash: "h:one", Text: "done"}
	pending := func(what string, w ...upnext.ItemID) {
		t.Helper()
		got, err := s.Indexings.Pending(ctx, a, "c", "", math.MaxInt32)
		ok(t, what, err)
		want(t, what, got, w)
	}
	_, err := s.Catalog.Put(ctx, a, record("x", "one"))
	ok(t, "put", err)
	ok(t, "mark", s.Indexings.Mark(ctx, a, mark))
	pending("marked")
	_, err = s.Catalog.Delete(ctx, a, "x")
	ok(t, "delete", err)
	pending("a deleted item")
	got, err := s.Indexings.Get(ctx, a, "c", "x")
	ok(t, "get", err)
	want(t, "the mark of a deleted item", got, nil)
	ok(t, "a mark that was in flight", s.Indexings.Mark(ctx, a, mark))
	_, err = s.Catalog.Put(ctx, a, record("x", "one"))
	ok(t, "put again", err)
	pending("back again", "x")
}

// indexingIndexed holds what marks say of a whole collection to the marks.
func indexingIndexed(t *testing.T, s Stores) {
	ctx := t.Context()
	all, now := hard(), time.Now()
	_, err := s.Catalog.Put(ctx, a, records(all, "one")...)
	ok(t, "put", err)
	_, err = s.Catalog.Put(ctx, b, record("elsewhere", "one"))
	ok(t, "put", err)
	ok(t, "mark", s.Indexings.Mark(ctx, a,
		upnext.Indexing{Item: all[0], Collection: "c", Hash: "h:one", At: now},
		upnext.Indexing{Item: all[1], Collection: "c", Hash: "h:zero", At: now}, // searchable as it was
		upnext.Indexing{Item: all[2], Collection: "c", Hash: "h:one"},           // nothing to find it by
		upnext.Indexing{Item: all[3], Collection: "d", Hash: "h:one", At: now},
		upnext.Indexing{Item: all[4], Collection: "c", Hash: "h:one", At: now}))
	indexed := func(collection string, after upnext.ItemID, limit int) []upnext.ItemID {
		t.Helper()
		got, err := s.Indexings.Indexed(ctx, a, collection, after, limit)
		ok(t, "indexed", err)
		return got
	}
	want(t, "indexed in c", indexed("c", "", 100), []upnext.ItemID{all[0], all[1], all[4]})
	want(t, "a page", indexed("c", all[0], 1), all[1:2])
	want(t, "none", indexed("c", all[4], 9), nil)
	tally := func(what, collection string, w upnext.Tally) {
		t.Helper()
		got, err := s.Indexings.Tally(ctx, a, collection)
		ok(t, what, err)
		want(t, what, got, w)
	}
	n := int64(len(all))
	tally("tally of c", "c", upnext.Tally{Items: n, Searchable: 2, Bare: 1})
	tally("tally of none", "none", upnext.Tally{Items: n})
	_, err = s.Catalog.Delete(ctx, a, all[0])
	ok(t, "delete", err)
	tally("tally after a delete", "c", upnext.Tally{Items: n - 1, Searchable: 1, Bare: 1})
	ok(t, "forget", s.Indexings.Forget(ctx, a, "c"))
	tally("tally of a forgotten collection", "c", upnext.Tally{Items: n - 1})
	tally("another is not forgotten", "d", upnext.Tally{Items: n - 1, Searchable: 1})
	if c, can := s.Catalog.(upnext.Tenants); can {
		got, err := c.Tenants(ctx)
		ok(t, "tenants", err)
		want(t, "tenants", got, []upnext.Tenant{a, b})
	}
}
