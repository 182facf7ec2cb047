package crowd

import "time"

// Audience returns how many viewers each item has now, faded by time as
// Trending does: what only few watch is near 0.
func (c *Crowd) Audience(now time.Time, items []int32) []float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trend.expire(now, c.set)
	scale := c.trend.scale(now, c.set)
	counts := make([]float64, len(items))
	for i, it := range items {
		counts[i] = c.trend.rank.of(it) * scale
	}
	return counts
}
