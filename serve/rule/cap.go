package rule

// Cap bounds how many items of one creator, or of one series, stand on a page.
// A zero field does not bound. Where the candidates would leave the page short,
// the cap gives way for the places that nothing else can fill.
type Cap struct {
	Share  float64 `json:"share"`  // most of the page, and two places in any case
	Page   int     `json:"page"`   // most places of the page
	Places int     `json:"places"` // most places
	Within int     `json:"within"` // of so many consecutive ones
}

// mostWithin bounds a window: looking at one takes its square.
const mostWithin = 50

func (c Cap) validate(of string) error {
	switch {
	case !share(c.Share):
		return bad(of+".share", "%g is not within 0 and 1", c.Share)
	case c.Page < 0:
		return bad(of+".page", "negative")
	case c.Within < 0 || c.Within > mostWithin:
		return bad(of+".within", "%d is not within 0 and %d", c.Within, mostWithin)
	case c.Within > 0 && (c.Places < 1 || c.Places > c.Within):
		return bad(of+".places", "%d is not within 1 and %d, the window", c.Places, c.Within)
	case c.Within == 0 && c.Places > 0:
		return bad(of+".within", "missing: places is of so many consecutive ones")
	}
	return nil
}

// most is how many places of a page of count one may have; 0 is any.
func (c Cap) most(count int) int {
	most := c.Page
	if c.Share > 0 {
		if m := max(2, int(c.Share*float64(count))); most == 0 || m < most {
			most = m
		}
	}
	return most
}

// counter holds the places of a page against a Cap.
type counter struct {
	cap    Cap
	most   int
	on     bool
	names  map[string]int32
	keys   []int32 // by candidate; unknown until asked for
	placed []int   // by key
	shut   []bool  // by key: it may not stand in the place looked at
	shutBy []int32 // the keys that are shut by the window
}

// What key says of a candidate that was not asked for yet, and of one that has
// no name: nobody's items have no cap.
const (
	unknownKey = -2
	nobody     = -1
)

func (c *counter) begin(of Cap, count, candidates int) {
	c.cap, c.most = of, of.most(count)
	c.on = c.most > 0 || of.Within > 0
	if c.names == nil {
		c.names = map[string]int32{}
	}
	clear(c.names)
	c.placed, c.shut, c.shutBy = c.placed[:0], c.shut[:0], c.shutBy[:0]
	if !c.on {
		return
	}
	c.keys = resized(c.keys, candidates)
	for i := range c.keys {
		c.keys[i] = unknownKey
	}
}

// key numbers the names of candidates.
func (c *counter) key(i int, name string) int32 {
	if !c.on || name == "" {
		return nobody
	}
	if c.keys[i] == unknownKey {
		k, ok := c.names[name]
		if !ok {
			k = int32(len(c.placed))
			c.names[name] = k
			c.placed, c.shut = append(c.placed, 0), append(c.shut, false)
		}
		c.keys[i] = k
	}
	return c.keys[i]
}

func (c *counter) count(key int32) {
	if key >= 0 {
		c.placed[key]++
	}
}

// full reports whether one more would break the cap in the place looked at.
func (c *counter) full(key int32) bool {
	return key >= 0 && (c.shut[key] || c.most > 0 && c.placed[key] >= c.most)
}

// look turns to a place: whose items would break the window there, given what
// stands before it and, pinned, behind it?
func (c *counter) look(place int, keyOf func(int) int32, order []int) {
	for _, k := range c.shutBy {
		c.shut[k] = false
	}
	c.shutBy = c.shutBy[:0]
	w := c.cap.Within
	if !c.on || w == 0 {
		return
	}
	from, to := max(0, place-w+1), min(len(order), place+w)
	for i := from; i < to; i++ {
		if order[i] < 0 {
			continue
		}
		if k := keyOf(order[i]); k >= 0 && !c.shut[k] && c.crowded(k, place, keyOf, order) {
			c.shut[k] = true
			c.shutBy = append(c.shutBy, k)
		}
	}
}

// crowded reports whether some window around the place has as many as it may.
func (c *counter) crowded(k int32, place int, keyOf func(int) int32, order []int) bool {
	w := c.cap.Within
	for start := max(0, place-w+1); start <= place; start++ {
		n := 0
		for i := start; i < min(len(order), start+w); i++ {
			if order[i] >= 0 && keyOf(order[i]) == k {
				n++
			}
		}
		if n >= c.cap.Places {
			return true
		}
	}
	return false
}
