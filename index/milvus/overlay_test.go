package milvus

import (
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
	"upnext/index"
)

func TestOverlay(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	one := func(id upnext.ItemID, x float32) []index.Entry {
		return []index.Entry{{ID: id, Vector: []float32{x}}}
	}
	check := func(t *testing.T, v view, level entity.ConsistencyLevel, n int) {
		t.Helper()
		if v.level != level || len(v.recent) != n {
			t.Errorf("got level %v with %d recent, want %v with %d", v.level, len(v.recent), level, n)
		}
	}
	write := func(o *overlay, entries []index.Entry, failed bool, at time.Time) {
		o.begin(entries)
		o.end(entries, failed, at)
	}
	t.Run("holds until a bounded read is sure", func(t *testing.T) {
		var o overlay
		write(&o, one("a", 1), false, now)
		write(&o, one("a", 2), false, now.Add(staleFor/2))
		v := o.view(now.Add(staleFor))
		check(t, v, entity.ClBounded, 1)
		if v.recent["a"].Vector[0] != 2 {
			t.Errorf("the older write is laid over: %v", v.recent["a"])
		}
		check(t, o.view(now.Add(2*staleFor)), entity.ClBounded, 0)
		if o.bytes != 0 || len(o.order) != 0 {
			t.Errorf("an empty overlay holds %d bytes, %d in order", o.bytes, len(o.order))
		}
	})
	t.Run("a failed write makes reads strong", func(t *testing.T) {
		var o overlay
		write(&o, one("a", 1), true, now)
		check(t, o.view(now.Add(staleFor-1)), entity.ClStrong, 0)
		check(t, o.view(now.Add(staleFor)), entity.ClBounded, 0)
	})
	t.Run("of two writes at once neither is believed", func(t *testing.T) {
		for _, firstEndsFirst := range []bool{true, false} {
			var o overlay
			first, second := one("a", 1), one("a", 2)
			o.begin(first)
			o.begin(second)
			if !firstEndsFirst {
				first, second = second, first
			}
			o.end(first, false, now)
			o.end(second, false, now.Add(1))
			check(t, o.view(now.Add(2)), entity.ClStrong, 0)
			if len(o.flights) != 0 {
				t.Errorf("%d are in flight for ever", len(o.flights))
			}
		}
	})
	t.Run("too much makes reads strong", func(t *testing.T) {
		var o overlay
		for i := range mostRecent + 1 {
			write(&o, one(upnext.ItemID(rune(i+256)), 1), false, now)
		}
		check(t, o.view(now), entity.ClStrong, 0)
		var heavy overlay
		write(&heavy, []index.Entry{{ID: "a", Vector: make([]float32, heaviestRecent/4)}}, false, now)
		check(t, heavy.view(now), entity.ClStrong, 0)
	})
}
