package storetest

import (
	"sync"
	"sync/atomic"
	"testing"

	"upnext"
)

// catalogPutOnly puts under conditions: none there, this version, and many at
// once of whom one wins.
func catalogPutOnly(t *testing.T, s Stores) {
	ctx := t.Context()
	put := func(title string, version int64) error {
		r := record("x", title)
		r.Only = &version
		_, err := s.Catalog.Put(ctx, a, record("other", title), r)
		return err
	}
	version := func() int64 {
		t.Helper()
		got, err := s.Catalog.Get(ctx, a, "x")
		ok(t, "get", err)
		if len(got) == 0 {
			return 0
		}
		want(t, "what was put only", got[0].Only, nil)
		return got[0].Version
	}
	is(t, "a version of nothing", put("one", 7), upnext.ErrConflict)
	if got, err := s.Catalog.Get(ctx, a, "other"); err != nil || len(got) > 0 {
		t.Errorf("beside a conflict: %v %v, want nothing put", got, err)
	}
	ok(t, "where nothing is", put("one", 0))
	first := version()
	is(t, "where something is", put("two", 0), upnext.ErrConflict)
	is(t, "the same again, where something is", put("one", 0), upnext.ErrConflict)
	ok(t, "the present version", put("two", first))
	is(t, "a former version", put("three", first), upnext.ErrConflict)

	now := version()
	var won atomic.Int32
	var wg sync.WaitGroup
	for _, title := range []string{"a", "b", "c", "d", "e"} {
		wg.Go(func() {
			if err := put(title, now); err == nil {
				won.Add(1)
			} else {
				is(t, "at once", err, upnext.ErrConflict)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of five won, want one", won.Load())
	}
	_, err := s.Catalog.Delete(ctx, a, "x")
	ok(t, "delete", err)
	is(t, "the version of what is gone", put("x", now), upnext.ErrConflict)
	ok(t, "where it is gone", put("x", 0))
}
