package crowd

// kept is an item that a viewer took to, and the weight of that time.
type kept struct {
	item int32
	unit float32
}

// ring is a viewer's latest items, oldest first.
type ring struct {
	items []kept
	used  uint64 // when it was last asked for, to find the idle
}

func (r *ring) has(item int32) bool { return r.index(item) >= 0 }

func (r *ring) index(item int32) int {
	for i := range r.items {
		if r.items[i].item == item {
			return i
		}
	}
	return -1
}

func (r *ring) push(k kept, most int) {
	if len(r.items) >= most {
		copy(r.items, r.items[1:])
		r.items = r.items[:len(r.items)-1]
	}
	r.items = append(r.items, k)
}

// recents are the rings of the viewers who were active lately.
type recents struct {
	of    map[uint64]*ring
	clock uint64
}

// ring returns a viewer's ring. When there are too many, the half that has
// been idle longest goes: their next events start anew.
func (r *recents) ring(viewer uint64, set Settings) *ring {
	r.clock++
	if own, ok := r.of[viewer]; ok {
		own.used = r.clock
		return own
	}
	if len(r.of) >= set.Viewers {
		// Each call moves the clock by one, so at most Viewers/2 rings are
		// younger than that.
		for v, old := range r.of {
			if old.used+uint64(set.Viewers/2) < r.clock {
				delete(r.of, v)
			}
		}
	}
	own := &ring{used: r.clock}
	r.of[viewer] = own
	return own
}
