package crowd

import "upnext/serve/explore"

// tries count how often items were met and taken to, for whom wants to know how
// well a new one does. 8 bytes an item.
type tries struct {
	shown, taken       []int32 // by item
	allShown, allTaken int64
}

func grown(list []int32, item int32) []int32 {
	if n := int(item) + 1 - len(list); n > 0 {
		list = append(list, make([]int32, n)...)
	}
	return list
}

func (t *tries) take(item int32, by int32) {
	t.taken = grown(t.taken, item)
	t.taken[item] += by
	t.allTaken += int64(by)
}

// Shown counts that an item was visible to a viewer, or, with -1, that it was not
// after all.
func (c *Crowd) Shown(item int32, by int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries.shown = grown(c.tries.shown, item)
	c.tries.shown[item] += by
	c.tries.allShown += int64(by)
}

// Tried returns how each of items has done, and the rate at which all items that
// were shown are taken to; 0 where none was.
func (c *Crowd) Tried(items []int32) (tried []explore.Tried, rate float64) {
	tried = make([]explore.Tried, len(items))
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := &c.tries
	for i, it := range items {
		tried[i].Item = it
		if int(it) < len(t.shown) {
			tried[i].Shown = int(t.shown[it])
		}
		if int(it) < len(t.taken) {
			tried[i].Taken = int(t.taken[it])
		}
	}
	if t.allShown > 0 {
		rate = float64(t.allTaken) / float64(t.allShown)
	}
	return tried, rate
}
