package crowd

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

// told is all that a crowd says, with items by their names.
func told(c *Crowd, name func(int32) string, now time.Time) string {
	order := func(list []Scored, sorted bool) (out []string) {
		for _, s := range list {
			out = append(out, fmt.Sprintf("%s %.6g", name(s.Item), s.Score))
		}
		if sorted {
			slices.Sort(out)
		}
		return out
	}
	var seeds []Scored
	for i := range int32(12) {
		seeds = append(seeds, Scored{i, 1})
	}
	slices.SortFunc(seeds, func(a, b Scored) int { return cmp.Compare(name(a.Item), name(b.Item)) })
	var together []Scored
	for _, t := range c.Together(seeds) {
		together = append(together, t.Scored)
	}
	var viewers []upnext.ViewerID
	for i := range 10 {
		viewers = append(viewers, viewer(i))
	}
	tried, rate := c.Tried([]int32{seeds[0].Item, seeds[5].Item})
	takers, n := c.Takers(now, []int32{seeds[0].Item, seeds[3].Item})
	for i := range tried {
		tried[i].Item = 0
	}
	return fmt.Sprint(order(c.Popular(50), true), order(c.Trending(now, 50), true), order(c.TrendingIn(now, "DE", 50), true), order(together, true), order(c.Liked(now, viewers...), true), tried, rate, takers, n)
}

// TestSave: who has loaded what was saved says the same, under whatever numbers the
// items have by then, and goes on as if nothing had been.
func TestSave(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		set := DefaultSettings()
		set.Viewers, set.Neighbours, set.Recent = 8, 4, 5
		c, now := New(set), noon
		names := make([]upnext.ItemID, 12)
		for i := range names {
			names[i] = upnext.ItemID(fmt.Sprint("item", i))
		}
		act := func(crowds ...*Crowd) {
			v, it := rapid.IntRange(0, 9).Draw(rt, "viewer"), rapid.Int32Range(0, 11).Draw(rt, "item")
			at := now.Add(-time.Duration(rapid.IntRange(0, 3000).Draw(rt, "minutes")) * time.Minute)
			what, in := rapid.IntRange(0, 5).Draw(rt, "what"), rapid.SampledFrom([]string{"", "DE", "SE"}).Draw(rt, "in")
			for _, c := range crowds {
				switch what {
				case 0:
					c.Remove(viewer(v), it)
				case 1:
					c.Like(viewer(v), it, at)
				case 2:
					c.Shown(it, 1)
				default:
					c.Add(viewer(v), it, at, now, in)
				}
			}
		}
		for range rapid.IntRange(0, 60).Draw(rt, "acts") {
			act(c)
		}
		var file bytes.Buffer
		if err := c.Save(&file, names); err != nil {
			rt.Fatal(err)
		}
		saved := file.Bytes()
		turn := int32(rapid.IntRange(0, 11).Draw(rt, "numbers turned by"))
		other := New(set)
		if err := other.Load(bytes.NewReader(saved), func(id upnext.ItemID) int32 { return (int32(slices.Index(names, id)) + turn) % 12 }); err != nil {
			rt.Fatal(err)
		}
		same := New(set)
		if err := same.Load(bytes.NewReader(saved), func(id upnext.ItemID) int32 { return int32(slices.Index(names, id)) }); err != nil {
			rt.Fatal(err)
		}
		name := func(i int32) string { return string(names[i]) }
		want := told(c, name, now)
		if got := told(other, func(i int32) string { return string(names[(i+12-turn)%12]) }, now); got != want {
			rt.Fatalf("under other numbers:\n%s\nwant\n%s", got, want)
		}
		for range rapid.IntRange(0, 20).Draw(rt, "more acts") {
			act(c, same)
		}
		if got, want := told(same, name, now), told(c, name, now); got != want {
			rt.Fatalf("it goes on:\n%s\nwant\n%s", got, want)
		}

		// What has gone is left out, and nothing else.
		few := New(set)
		if err := few.Load(bytes.NewReader(saved), func(id upnext.ItemID) int32 {
			if id == "item3" {
				return -1
			}
			return int32(slices.Index(names, id))
		}); err != nil {
			rt.Fatal(err)
		}
		for _, s := range few.Popular(50) {
			if s.Item == 3 || s.Score <= 0 || math.IsNaN(s.Score) {
				rt.Fatalf("without item 3 there is %+v", s)
			}
		}
	})
}

// TestLoadDamaged: a file that is cut or damaged is refused, and the counts stay.
func TestLoadDamaged(t *testing.T) {
	c := New(DefaultSettings())
	for i := range 50 {
		c.Add(viewer(i%7), int32(i%12), noon, noon, "")
		c.Like(viewer(i%7), int32(i%12), noon)
	}
	names := make([]upnext.ItemID, 12)
	for i := range names {
		names[i] = upnext.ItemID(fmt.Sprint("item", i))
	}
	var file bytes.Buffer
	if err := c.Save(&file, names); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	before := told(c, func(i int32) string { return string(names[i]) }, noon)
	for at := range whole {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0x41
		for _, b := range [][]byte{damaged, whole[:at]} {
			if err := c.Load(bytes.NewReader(b), func(id upnext.ItemID) int32 { return int32(slices.Index(names, id)) }); err == nil {
				t.Fatalf("damaged at byte %d it is loaded", at)
			}
		}
	}
	if got := told(c, func(i int32) string { return string(names[i]) }, noon); got != before {
		t.Errorf("after files that were refused: %s, want %s", got, before)
	}
	// As many bytes as there are, and none of them a file of ours.
	if err := c.Load(bytes.NewReader(bytes.Repeat([]byte{0xff}, 4096)), func(upnext.ItemID) int32 { return 0 }); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("rubbish: %v, want ErrInvalid", err)
	}
}
