package crowd

import (
	"math"
	"slices"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"upnext"
)

// likedKept is how many of a viewer's likes are kept for those who follow
// them: the latest.
const likedKept = 16

// likedHalfLife is the time in which half of a friend's like fades.
const likedHalfLife = 7 * 24 * time.Hour

// like is an item that a viewer said they like, and the hour when.
type like struct {
	item int32
	hour int32
}

// likes are what each of the viewers said they like, of those who did so
// last, for whom follows them. Some 200 bytes a viewer.
type likes struct {
	of *simplelru.LRU[uint64, []like]
}

func newLikes(viewers int) likes {
	of, err := simplelru.NewLRU[uint64, []like](max(viewers, 1), nil)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return likes{of}
}

// Like counts that a viewer said they like an item; for those who follow them.
func (c *Crowd) Like(viewer upnext.ViewerID, item int32, at time.Time) {
	v, l := c.hash(viewer), like{item, int32(hourOf(at))}
	c.mu.Lock()
	defer c.mu.Unlock()
	before, _ := c.likes.of.Peek(v)
	// A new slice: readers hold the former.
	now := slices.DeleteFunc(slices.Clone(before), func(k like) bool { return k.item == item })
	at0 := slices.IndexFunc(now, func(k like) bool { return k.hour <= l.hour })
	if at0 < 0 {
		at0 = len(now)
	}
	now = slices.Insert(now, at0, l)
	c.likes.of.Add(v, now[:min(len(now), likedKept)])
}

// Unlike takes a Like back.
func (c *Crowd) Unlike(viewer upnext.ViewerID, item int32) {
	v := c.hash(viewer)
	c.mu.Lock()
	defer c.mu.Unlock()
	before, ok := c.likes.of.Peek(v)
	if !ok || !slices.ContainsFunc(before, func(k like) bool { return k.item == item }) {
		return
	}
	c.likes.of.Add(v, slices.DeleteFunc(slices.Clone(before), func(k like) bool { return k.item == item }))
}

// ForgetLikes drops all that a viewer liked.
func (c *Crowd) ForgetLikes(viewer upnext.ViewerID) {
	v := c.hash(viewer)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.likes.of.Remove(v)
}

// Liked scores what some viewers like: an item counts once for each of them,
// faded by the time since. It is in no order.
func (c *Crowd) Liked(now time.Time, viewers ...upnext.ViewerID) []Scored {
	c.mu.RLock()
	defer c.mu.RUnlock()
	at := map[int32]int{}
	var found []Scored
	for _, viewer := range viewers {
		own, _ := c.likes.of.Peek(c.hash(viewer))
		for _, l := range own {
			i, ok := at[l.item]
			if !ok {
				i = len(found)
				at[l.item] = i
				found = append(found, Scored{Item: l.item})
			}
			age := now.Sub(time.Unix(int64(l.hour)*3600, 0))
			found[i].Score += math.Exp2(-float64(max(age, 0)) / float64(likedHalfLife))
		}
	}
	return found
}
