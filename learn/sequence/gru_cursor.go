package sequence

import "slices"

// gruCursor reads a run on: the state is all that it keeps of the past.
type gruCursor struct {
	*gru
	v      *weights
	item   func(int32, []float32)
	h, out []float32 // [hidden], [d]
}

// gruRows is what reading up to band acts at a time needs.
type gruRows struct{ x, in, on, prev, hat, inverse []float32 }

func (n *gru) cursor(v *weights, item func(int32, []float32)) cursor {
	return &gruCursor{gru: n, v: v, item: item, h: make([]float32, n.hidden), out: make([]float32, n.d)}
}

func (c *gruCursor) reset()            { clear(c.h) }
func (c *gruCursor) vector() []float32 { return c.out }
func (c *gruCursor) floats() int       { return len(c.h) + len(c.out) }

func (c *gruCursor) extend(items []int32) {
	d, wide, w := c.d, c.hidden, c.v.w
	r, _ := c.scratch.Get().(*gruRows)
	if r == nil {
		r = &gruRows{make([]float32, band*d), make([]float32, band*3*wide), make([]float32, 3*wide), make([]float32, wide), make([]float32, d), make([]float32, 1)}
	}
	for some := range slices.Chunk(items, band) {
		for t, item := range some {
			c.item(item, r.x[t*d:][:d])
		}
		affine(c.level, r.in, r.x, c.v.from(c.in, 3*wide), w[c.inBias:], len(some), d, 3*wide)
		for t := range some {
			affine(c.level, r.on, c.h, c.v.from(c.on, 3*wide), w[c.onBias:], 1, wide, 3*wide)
			copy(r.prev, c.h)
			gates(c.level, r.in[t*3*wide:][:3*wide], r.on, r.prev, c.h)
		}
	}
	affine(c.level, r.x, c.h, c.v.from(c.dense, d), w[c.denseBias:], 1, wide, d)
	normalise(r.x, r.hat, c.out, r.inverse, w[c.gain:], w[c.shift:], 1, d)
	c.scratch.Put(r)
}
