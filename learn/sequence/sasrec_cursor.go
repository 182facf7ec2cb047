package sequence

import (
	"math"

	"upnext/learn/kernel"
)

// sasrecCursor reads a run on, keeping each block's keys and values: an act
// costs one row of every product.
type sasrecCursor struct {
	*sasrec
	v      *weights
	item   func(int32, []float32)
	n      int         // acts read
	keys   [][]float32 // a block: [d][length], so that queries meet them row by row
	values [][]float32 // a block: [length][d]
	h      []float32
}

// sasrecRows is what reading up to band acts at a time needs.
type sasrecRows struct{ x, hat, a, q, k, o, c, f, scores, inverse []float32 }

func (n *sasrec) cursor(v *weights, item func(int32, []float32)) cursor {
	c := &sasrecCursor{sasrec: n, v: v, item: item, h: make([]float32, n.d)}
	for range n.blocks {
		c.keys = append(c.keys, make([]float32, n.d*n.length))
		c.values = append(c.values, make([]float32, n.length*n.d))
	}
	return c
}

func (c *sasrecCursor) reset()            { c.n = 0 }
func (c *sasrecCursor) vector() []float32 { return c.h }
func (c *sasrecCursor) floats() int       { return len(c.h) + 2*len(c.blocks)*c.d*c.length }

func (c *sasrecCursor) extend(items []int32) {
	r, _ := c.scratch.Get().(*sasrecRows)
	if r == nil {
		floats := func(width int) []float32 { return make([]float32, band*width) }
		r = &sasrecRows{
			x: floats(c.d), hat: floats(c.d), a: floats(c.d), q: floats(c.d), k: floats(c.d), o: floats(c.d), c: floats(c.d),
			f: floats(c.hidden), scores: floats(c.length), inverse: floats(1),
		}
	}
	for len(items) > 0 {
		n := min(band, len(items))
		c.read(r, items[:n], n == len(items))
		items = items[n:]
	}
	c.scratch.Put(r)
}

// read takes up to band acts. Of the last block only keys and values are of use
// for all of them; the rest is done for the very last act alone.
func (c *sasrecCursor) read(r *sasrecRows, items []int32, last bool) {
	d, w, rows := c.d, c.v.w, len(items)
	for t, item := range items {
		x := r.x[t*d:][:d]
		c.item(item, x)
		c.level.Axpy(x, 1, w[c.positions+(c.n+t)*d:][:d])
	}
	for i := range c.blocks {
		at := &c.blocks[i]
		normalise(r.x, r.hat, r.a, r.inverse, w[at.gain1:], w[at.shift1:], rows, d)
		qkv := c.v.from(at.qkv, 3*d)
		affine(c.level, r.k, r.a, qkv.At(0, d), w[at.qkvBias+d:], rows, d, d)
		for t := range rows {
			for j, v := range r.k[t*d:][:d] {
				c.keys[i][j*c.length+c.n+t] = v
			}
		}
		affine(c.level, c.values[i][c.n*d:], r.a, qkv.At(0, 2*d), w[at.qkvBias+2*d:], rows, d, d)
		from := 0
		if i == len(c.blocks)-1 {
			if !last {
				break
			}
			from = rows - 1
		}
		c.finish(r, i, from, rows)
	}
	c.n += rows
	if last {
		x := r.x[(rows-1)*d:]
		normalise(x, r.hat, c.h, r.inverse, w[c.gain:], w[c.shift:], 1, d)
	}
}

// finish is attention and feed-forward of block i for the rows from … to.
func (c *sasrecCursor) finish(r *sasrecRows, i, from, to int) {
	at, d, w := &c.blocks[i], c.d, c.v.w
	x, rows, size := r.x[from*d:], to-from, c.d/c.heads
	affine(c.level, r.q, r.a[from*d:], c.v.from(at.qkv, 3*d), w[at.qkvBias:], rows, d, d)
	scale(r.q, d, d, rows, float32(1/math.Sqrt(float64(size))))
	seen := c.n + to // acts that the last of the rows sees
	for h := range c.heads {
		keys, values := kernel.Rows(c.keys[i], c.length).At(h*size, 0), kernel.Rows(c.values[i], d).At(0, h*size)
		c.level.Gemm(rows, seen, size, kernel.Rows(r.q, d).At(0, h*size), keys, kernel.Rows(r.scores, seen), false)
		ago := w[at.ago+h*c.length:][:c.length]
		for t := range rows {
			softmax(c.level, r.scores[t*seen:][:seen], ago, c.n+from+t+1)
		}
		c.level.Gemm(rows, size, seen, kernel.Rows(r.scores, seen), values, kernel.Rows(r.o, d).At(0, h*size), false)
	}
	affine(c.level, r.c, r.o, c.v.from(at.out, d), w[at.outBias:], rows, d, d)
	c.level.Axpy(x[:rows*d], 1, r.c[:rows*d])
	normalise(x, r.hat, r.c, r.inverse, w[at.gain2:], w[at.shift2:], rows, d)
	affine(c.level, r.f, r.c, c.v.from(at.up, c.hidden), w[at.upBias:], rows, d, c.hidden)
	rectify(r.f[:rows*c.hidden])
	affine(c.level, r.c, r.f, c.v.from(at.down, d), w[at.downBias:], rows, c.hidden, d)
	c.level.Axpy(x[:rows*d], 1, r.c[:rows*d])
}
