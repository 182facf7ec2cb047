package crowd

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func viewer(i int) upnext.ViewerID { return upnext.ViewerID{ID: fmt.Sprint("v", i)} }

// TestRanking holds the order against sorting anew, also where only the best are
// kept in order.
func TestRanking(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := ranking{most: rapid.SampledFrom([]int{0, 2, 3, 5}).Draw(rt, "kept in order")}
		scores := map[int32]float64{}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			item := rapid.Int32Range(0, 12).Draw(rt, "item")
			by := float64(rapid.IntRange(-4, 4).Draw(rt, "by")) / 4
			r.add(item, by)
			if scores[item] += by; scores[item] <= 0 {
				delete(scores, item)
			}
			var want []int32
			for it := range scores {
				want = append(want, it)
			}
			slices.SortFunc(want, func(a, b int32) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
			for _, n := range []int{len(r.order), 1, len(want), 1 << 30} {
				var got []int32
				for _, s := range r.first(n, 1) {
					if got = append(got, s.Item); s.Score != scores[s.Item] || r.of(s.Item) != s.Score {
						rt.Fatalf("item %d: score %g, want %g", s.Item, s.Score, scores[s.Item])
					}
				}
				if !slices.Equal(got, want[:min(n, len(want))]) {
					rt.Fatalf("first %d are %v, want them of %v of %v", n, got, want, scores)
				}
			}
			if len(r.order) > r.depth() || len(r.order) < min(len(want), r.depth()/2) || len(r.order)+r.below != len(want) {
				rt.Fatalf("%d in order and %d below, want %d, in order at most %d and no less than half of that", len(r.order), r.below, len(want), r.depth())
			}
		}
	})
}

// TestTrend holds scores against a sum over all viewers in the window.
func TestTrend(t *testing.T) {
	set := DefaultSettings()
	rapid.Check(t, func(rt *rapid.T) {
		c := New(set)
		type key struct {
			viewer int
			item   int32
		}
		latest := map[key]time.Time{}
		now := noon
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 7, 30, 2000}).Draw(rt, "hours")) * time.Hour)
			k := key{rapid.IntRange(0, 3).Draw(rt, "viewer"), rapid.Int32Range(0, 3).Draw(rt, "item")}
			if rapid.IntRange(0, 9).Draw(rt, "remove") == 0 {
				c.Remove(viewer(k.viewer), k.item)
				delete(latest, k)
			} else {
				at := now.Add(-time.Duration(rapid.IntRange(0, 60*60).Draw(rt, "minutes ago")) * time.Minute)
				c.Add(viewer(k.viewer), k.item, at, now, "")
				if at.After(latest[k]) && now.Sub(at) < set.TrendWindow {
					latest[k] = at
				}
			}
			want := map[int32]float64{}
			for k, at := range latest {
				if hourOf(at) >= hourOf(now.Add(-set.TrendWindow)) {
					want[k.item] += math.Exp2(-float64(now.Sub(at)) / float64(set.TrendHalfLife))
				}
			}
			got := map[int32]float64{}
			last := math.Inf(1)
			for _, s := range c.Trending(now, 10) {
				if s.Score > last*(1+1e-9) {
					rt.Fatalf("%v after a score of %g", s, last)
				}
				got[s.Item], last = s.Score, s.Score
			}
			for it := range max(int32(4), int32(len(got))) {
				if math.Abs(got[it]-want[it]) > 1e-6*max(1, want[it]) {
					rt.Fatalf("item %d: %g, want %g", it, got[it], want[it])
				}
			}
		}
	})
}

// TestHistoryDoesNotTrend: an import of old events counts for popularity alone.
func TestHistoryDoesNotTrend(t *testing.T) {
	c := New(DefaultSettings())
	for v := range 50 {
		c.Add(viewer(v), 1, time.Date(1998, 4, 1, 0, 0, 0, 0, time.UTC), noon, "")
	}
	if trending := c.Trending(noon, 10); len(trending) > 0 {
		t.Errorf("%+v trend", trending)
	}
	if got := c.Popularity([]int32{1, 2}); got[0] != 1 || got[1] != 0 {
		t.Errorf("popularity %v, want 1 and 0", got)
	}
}

// TestTogether: what is watched by the same viewers comes first, not what is
// merely popular; and what is taken back is forgotten.
func TestTogether(t *testing.T) {
	c := New(DefaultSettings())
	for v := range 10 { // 1 and 2 go together; 3 is seen by everybody
		c.Add(viewer(v), 1, noon, noon, "")
		c.Add(viewer(v), 2, noon, noon, "")
		c.Add(viewer(v), 2, noon, noon, "") // again: not another viewer
		c.Add(viewer(v), 3, noon, noon, "")
	}
	for v := 10; v < 200; v++ {
		c.Add(viewer(v), 3, noon, noon, "")
		c.Add(viewer(v), 4, noon, noon, "")
	}
	scores := func(seed int32) map[int32]float64 {
		m := map[int32]float64{}
		for _, s := range c.Together([]Scored{{Item: seed, Score: 1}}) {
			m[s.Item] = s.Score
		}
		return m
	}
	got := scores(1)
	u := c.set.unit(noon)
	if want := 10 * u / (10*u + 5*u); math.Abs(got[2]-want) > 1e-6 {
		t.Errorf("1 with 2: %g, want %g: ten of ten, shrunk by five", got[2], want)
	}
	if got[3] >= got[2] || got[3] == 0 || got[4] != 0 {
		t.Errorf("1 with 3: %g, with 4: %g; want less than %g and nothing", got[3], got[4], got[2])
	}
	two := c.Together([]Scored{{Item: 1, Score: 0.1}, {Item: 4, Score: 1}})
	for _, s := range two {
		if s.Item == 3 && s.Seed != 1 {
			t.Errorf("3 is there because of seed %d, want 1", s.Seed)
		}
	}
	for v := range 10 {
		c.Remove(viewer(v), 2)
	}
	if got := scores(1); got[2] != 0 || got[3] == 0 {
		t.Errorf("after taking 2 back: %v", got)
	}
	if got := c.Popularity([]int32{2}); got[0] != 0 {
		t.Errorf("2 is still popular: %v", got)
	}
}

// TestNewerCountsMore: last year's hit gives way to this month's.
func TestNewerCountsMore(t *testing.T) {
	c := New(DefaultSettings())
	for v := range 10 {
		c.Add(viewer(v), 1, noon.Add(-365*24*time.Hour), noon, "")
	}
	c.Add(viewer(1), 2, noon, noon, "")
	var order []int32
	for _, s := range c.Popular(10) {
		order = append(order, s.Item)
	}
	if want := []int32{2, 1}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

// TestBounds: no list grows beyond its setting.
func TestBounds(t *testing.T) {
	set := DefaultSettings()
	set.Viewers, set.Neighbours, set.Recent, set.TrendEntries = 20, 5, 4, 30
	c := New(set)
	for i := range 3000 {
		c.Add(viewer(i%97), int32(i*7%41), noon.Add(time.Duration(i)*time.Minute), noon.Add(time.Duration(i)*time.Minute), "")
		if len(c.recent.of) > set.Viewers {
			t.Fatalf("%d viewers held, %d allowed", len(c.recent.of), set.Viewers)
		}
	}
	for it, list := range c.pairs {
		if len(list) > set.Neighbours {
			t.Errorf("item %d has %d neighbours, %d allowed", it, len(list), set.Neighbours)
		}
	}
	for _, r := range c.recent.of {
		if len(r.items) > set.Recent {
			t.Errorf("%d recent items, %d allowed", len(r.items), set.Recent)
		}
	}
	if len(c.trend.seen) > set.TrendEntries {
		t.Errorf("%d trend entries, %d allowed", len(c.trend.seen), set.TrendEntries)
	}
	visits := 0
	for _, list := range c.trend.hours {
		visits += len(list)
	}
	if visits > 3*set.TrendEntries {
		t.Errorf("%d visits listed for %d entries", visits, len(c.trend.seen))
	}
}

// TestSegments: what trends among few is drawn towards what trends among all, what
// trends among many is theirs; and the parts add up, whatever comes, goes and fades.
func TestSegments(t *testing.T) {
	c := New(DefaultSettings())
	first := func(in string) int32 { return c.TrendingIn(noon, in, 3)[0].Item }
	for v := range 300 {
		c.Add(viewer(v), 1, noon, noon, "")
	}
	for v := 1000; v < 1002; v++ {
		c.Add(viewer(v), 2, noon, noon, "SE")
	}
	for v := 2000; v < 2100; v++ {
		c.Add(viewer(v), 3, noon, noon, "DE")
	}
	for in, want := range map[string]int32{"": 1, "SE": 1, "DE": 3, "nowhere": 1} {
		if got := first(in); got != want {
			t.Errorf("in %q item %d leads, want %d", in, got, want)
		}
	}
	for v := 2000; v < 2100; v++ {
		c.Remove(viewer(v), 3)
	}
	if got := first("DE"); got != 1 || len(c.TrendingIn(noon, "DE", 9)) != 2 {
		t.Errorf("taken back, item %d leads in DE, want 1", got)
	}
	for i := range 2 * mostSegments {
		c.Add(viewer(i), 5, noon, noon, fmt.Sprint("s", i))
	}
	if n := len(c.trend.segments.list); n != mostSegments {
		t.Errorf("%d segments, want no more than %d", n, mostSegments)
	}

	rapid.Check(t, func(rt *rapid.T) {
		c, now := New(DefaultSettings()), noon
		for range rapid.IntRange(1, 60).Draw(rt, "acts") {
			v, it := rapid.IntRange(0, 6).Draw(rt, "viewer"), rapid.Int32Range(0, 5).Draw(rt, "item")
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 900}).Draw(rt, "hours")) * time.Hour)
			if rapid.IntRange(0, 3).Draw(rt, "takes back") == 0 {
				c.Remove(viewer(v), it)
			} else {
				c.Add(viewer(v), it, now, now, rapid.SampledFrom([]string{"", "DE", "SE"}).Draw(rt, "in"))
			}
			want, total := map[[2]int32]float64{}, 0.0
			for v, e := range c.trend.seen {
				want[[2]int32{int32(e.segment), v.item}] += e.weight
				total += e.weight
			}
			if math.Abs(total-c.trend.total) > 1e-9*(1+total) {
				rt.Fatalf("in all %g, want %g", c.trend.total, total)
			}
			for n, g := range c.trend.segments.list {
				for item, score := range g.scores {
					if w := want[[2]int32{int32(n + 1), item}]; math.Abs(score-w) > 1e-9*(1+w) || w == 0 {
						rt.Fatalf("item %d in %s has %g, want %g", item, g.name, score, w)
					}
				}
			}
		}
	})
}
