package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"upnext"
)

// testBeats: the latest beat of each item stands, also after a restart.
func testBeats(t *testing.T, open Open) {
	s, ctx := open(t, "beats"), t.Context()
	put := func(tenant upnext.Tenant, id upnext.ItemID, at, until int) upnext.Beat {
		t.Helper()
		b := upnext.Beat{Item: id, At: noon.Add(time.Duration(at) * time.Second), Until: noon.Add(time.Duration(until) * time.Second)}
		ok(t, "put beat", s.Beats.PutBeat(ctx, tenant, b))
		return b
	}
	since := func(tenant upnext.Tenant, at time.Time) []upnext.Beat {
		t.Helper()
		beats, err := s.Beats.BeatsSince(ctx, tenant, at)
		ok(t, "beats since", err)
		slices.SortFunc(beats, func(a, b upnext.Beat) int { return cmp.Compare(a.Item, b.Item) })
		return beats
	}
	want(t, "none", since(a, time.Time{}), nil)
	put(a, "x", 1, 31)
	x := put(a, "x", 5, 10)
	put(a, "x", 3, 99) // came late
	y := put(a, "中", 2, 32)
	other := put(b, "x", 1, 2)
	want(t, "all", since(a, time.Time{}), []upnext.Beat{x, y})
	want(t, "at or after", since(a, x.At), []upnext.Beat{x})
	want(t, "after all", since(a, x.At.Add(time.Microsecond)), nil)
	want(t, "another tenant's", since(b, time.Time{}), []upnext.Beat{other})
	is(t, "an id with NUL", s.Beats.PutBeat(ctx, a, upnext.Beat{Item: "\x00"}), upnext.ErrInvalid)
	ok(t, "close", s.Close())
	s = open(t, "beats")
	want(t, "after a restart", since(a, time.Time{}), []upnext.Beat{x, y})
}
