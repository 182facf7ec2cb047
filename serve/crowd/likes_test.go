package crowd

import (
	"fmt"
	"testing"
	"time"

	"upnext"
)

// TestLikes: each viewer counts once for an item, faded by the week; what is
// taken back is gone, and neither a viewer nor their number grows without end.
func TestLikes(t *testing.T) {
	set := DefaultSettings()
	set.Viewers = 10
	c, now := New(set), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ann, bob := upnext.ViewerID{ID: "ann"}, upnext.ViewerID{ID: "bob"}
	scores := func(of ...upnext.ViewerID) map[int32]float64 {
		m := map[int32]float64{}
		for _, s := range c.Liked(now, of...) {
			m[s.Item] = s.Score
		}
		return m
	}
	c.Like(ann, 1, now)
	c.Like(ann, 1, now)
	c.Like(bob, 1, now.Add(-7*24*time.Hour))
	c.Like(bob, 2, now)
	if got := scores(ann, bob); len(got) != 2 || got[1] != 1.5 || got[2] != 1 {
		t.Errorf("liked %v, want 1.5 for 1 and 1 for 2", got)
	}
	c.Unlike(bob, 1)
	c.Unlike(bob, 9)
	if got := scores(bob); len(got) != 1 || got[2] != 1 {
		t.Errorf("after bob takes 1 back %v, want 2 alone", got)
	}
	c.Forget(bob)
	if got := scores(bob); len(got) != 0 {
		t.Errorf("bob is forgotten and likes %v", got)
	}
	for i := range 100 {
		c.Like(ann, int32(i), now.Add(time.Duration(i)*time.Hour))
	}
	if got := scores(ann); len(got) != likedKept || got[99] == 0 {
		t.Errorf("of a hundred likes %d are kept, want the latest %d", len(got), likedKept)
	}
	for i := range 100 {
		c.Like(upnext.ViewerID{ID: fmt.Sprint("v", i)}, 1, now)
	}
	if n := c.likes.of.Len(); n != set.Viewers {
		t.Errorf("%d viewers are held, want %d", n, set.Viewers)
	}
}
