// Package crowd counts what all viewers of a tenant did: which items are
// popular, which are trending and which are watched together. Counts are
// updated by each event and can be taken back.
package crowd

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"upnext"
)

// Settings bound the counts and say how they fade.
type Settings struct {
	HalfLife      time.Duration // of popularity and of pairs
	Recent        int           // of a viewer's items, how many a new one is paired with
	Neighbours    int           // pairs kept for an item
	Shrink        float64       // viewers in common that a pair must outweigh to be believed
	Viewers       int           // whose recent items are held
	TrendWindow   time.Duration // events older than this do not trend
	TrendHalfLife time.Duration
	TrendEntries  int // pairs of viewer and item held for trending
}

// DefaultSettings hold some 100,000 viewers in less than 100 MB.
func DefaultSettings() Settings {
	return Settings{
		HalfLife: 90 * 24 * time.Hour, Recent: 32, Neighbours: 200, Shrink: 5, Viewers: 100_000,
		TrendWindow: 48 * time.Hour, TrendHalfLife: 8 * time.Hour, TrendEntries: 500_000,
	}
}

// Crowd is the counts of one tenant. Items are the shelf's ords. It is safe
// for concurrent use.
type Crowd struct {
	set Settings

	mu      sync.RWMutex
	seed    uint64 // of the viewers' hashes
	popular ranking
	trend   trend
	recent  recents
	pairs   [][]pair // by item
	likes   likes
	tries   tries
	latest  float64 // unit of the newest event counted
}

// New returns a Crowd without counts.
func New(set Settings) *Crowd {
	return &Crowd{
		set: set, seed: rand.Uint64(), likes: newLikes(set.Viewers),
		trend: trend{seen: map[visit]entry{}, hours: map[int64][]visit{}}, recent: recents{of: map[uint64]*ring{}},
	}
}

// epoch anchors the fading: an event at it weighs 1, a later one more. Older
// ones need no update then. The exponent is bounded so that counts of any
// time fit into a float32: what lies 15 years apart is worth the same.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func (s Settings) unit(at time.Time) float64 {
	return math.Exp2(max(-60, min(60, float64(at.Sub(epoch))/float64(s.HalfLife))))
}

// Add counts that a viewer liked or watched an item. Again the same item soon
// after counts for trending alone, and there as the later of the two. now
// bounds the window of trending; in is the segment of the viewers that they belong to,
// empty where it is not known.
func (c *Crowd) Add(viewer upnext.ViewerID, item int32, at, now time.Time, in string) {
	v, u := c.hash(viewer), float64(float32(c.set.unit(at))) // what is kept must be what is taken back
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trend.add(visit{v, item}, at, now, in, c.set)
	r := c.recent.ring(v, c.set)
	if r.has(item) {
		return
	}
	c.latest = max(c.latest, u)
	c.tries.take(item, 1)
	c.popular.add(item, u)
	for _, other := range r.items {
		c.bump(item, other.item, u)
		c.bump(other.item, item, u)
	}
	r.push(kept{item, float32(u)}, c.set.Recent)
}

// Remove takes back what Add counted for the viewer and the item.
func (c *Crowd) Remove(viewer upnext.ViewerID, item int32) {
	v := c.hash(viewer)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trend.remove(visit{v, item})
	r, ok := c.recent.of[v]
	if !ok {
		return
	}
	i := r.index(item)
	if i < 0 {
		return
	}
	gone := r.items[i]
	c.popular.add(item, -float64(gone.unit))
	c.tries.take(item, -1)
	for j, other := range r.items {
		if j != i { // the pair was counted when the later of the two came
			u := float64(r.items[max(i, j)].unit)
			c.bump(item, other.item, -u)
			c.bump(other.item, item, -u)
		}
	}
	r.items = append(r.items[:i], r.items[i+1:]...)
}

// Forget drops what is held of a viewer. What they did was taken back by
// Remove; this is for the rest.
func (c *Crowd) Forget(viewer upnext.ViewerID) {
	v := c.hash(viewer)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.recent.of, v)
	c.likes.of.Remove(v)
}

// hash is what is held of a viewer's name: others' events cannot be made to meet
// theirs by who does not know the seed.
func (c *Crowd) hash(v upnext.ViewerID) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(c.seed)
	_, _ = d.WriteString(v.String()) // never fails
	return d.Sum64()
}

// Scored is an item and a number to order by.
type Scored struct {
	Item  int32
	Score float64
}

// Popular returns up to n of the most popular items, best first. Scores are
// relative to the most popular, 0 to 1.
func (c *Crowd) Popular(n int) []Scored {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.popular.first(n, 1/c.popular.top())
}

// Popularity returns for each item how popular it is, 0 to 1, on a scale of
// logarithms: what few have watched is not nothing.
func (c *Crowd) Popularity(items []int32) []float64 {
	scores, top := c.popularOf(items)
	for i, s := range scores {
		if s > 0 && top > 0 {
			scores[i] = math.Log1p(100*s/top) / math.Log1p(100)
		}
	}
	return scores
}

func (c *Crowd) popularOf(items []int32) (scores []float64, top float64) {
	scores = make([]float64, len(items))
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i, it := range items {
		scores[i] = c.popular.of(it)
	}
	return scores, c.popular.top()
}

// Takers returns how many of the viewers took to each item, faded by age, and of
// how many.
func (c *Crowd) Takers(now time.Time, items []int32) (takers []int, viewers int) {
	takers = make([]int, len(items))
	c.mu.RLock()
	defer c.mu.RUnlock()
	viewers = len(c.recent.of)
	for i, it := range items {
		takers[i] = min(viewers, int(math.Round(c.popular.of(it)/c.set.unit(now))))
	}
	return takers, viewers
}

// Trending returns up to n of the items that are watched now, best first. Scores
// are numbers of viewers, faded by time.
func (c *Crowd) Trending(now time.Time, n int) []Scored { return c.TrendingIn(now, "", n) }

// Audience returns how many viewers each item has now, faded by time as
// Trending does: what only few watch is near 0.
func (c *Crowd) Audience(now time.Time, items []int32) []float64 {
	counts := make([]float64, len(items))
	defer c.current(now).RUnlock()
	scale := c.trend.scale(now, c.set)
	for i, it := range items {
		counts[i] = c.trend.rank.of(it) * scale
	}
	return counts
}

// current locks the counts for reading, without the hours that have left the
// window. Requests read side by side: the lock is theirs alone once an hour, when
// one goes.
func (c *Crowd) current(now time.Time) *sync.RWMutex {
	c.mu.RLock()
	if c.trend.over(now, c.set) {
		c.mu.RUnlock()
		c.mu.Lock()
		c.trend.expire(now, c.set)
		c.mu.Unlock()
		c.mu.RLock() // another's clock may be behind: what it counted again may stay
	}
	return &c.mu
}
