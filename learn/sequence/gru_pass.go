package sequence

import "upnext/learn/kernel"

// gruPass is one goroutine's buffers, a row an act, step by step.
type gruPass struct {
	*gru
	v                    *weights
	x                    []float32 // [d] what goes in
	in                   []float32 // [3·hidden] by the item; then the gates; then the gradient of their sums
	on                   []float32 // [3·hidden] by the state before; then its gradient
	prev, h              []float32 // [hidden] the states before and after
	hat, answer, inverse []float32 // [d], [d], [1] out normalised
	kept, out            []float32 // [hidden] h but for what is dropped, [d] the dense layer's
	gstate, gx           []float32 // of the way back
	keep0, keep1         []uint8
	drop                 dropout
	foe                  adversary
	dropping             bool
}

func (n *gru) pass(v *weights, rows int) pass {
	floats := func(width int) []float32 { return make([]float32, rows*width) }
	return &gruPass{
		gru: n, v: v, x: floats(n.d), in: floats(3 * n.hidden), on: floats(3 * n.hidden), prev: floats(n.hidden), h: floats(n.hidden),
		hat: floats(n.d), answer: floats(n.d), inverse: floats(1), kept: floats(n.hidden), out: floats(n.d), gstate: floats(n.hidden), gx: floats(n.d),
		keep0: make([]uint8, rows*n.d+8), keep1: make([]uint8, rows*n.hidden+8),
	}
}

// forward answers, a row an act, the vector that the next item's should be like.
func (p *gruPass) forward(b *batch, training bool) []float32 {
	rows, d, wide, w := b.rows(), p.d, p.hidden, p.v.w
	p.dropping = training && p.rate > 0
	p.drop = newDropout(p.rate, b.noise)
	p.embed(p.x, b)
	p.foe.apply(p.level, p.x)
	if p.dropping {
		p.drop.draw(p.keep0, rows*d)
		p.drop.apply(p.x[:rows*d], p.x, p.keep0)
	}
	affine(p.level, p.in, p.x, p.v.from(p.gru.in, 3*wide), w[p.inBias:], rows, d, 3*wide)
	for t, from := range b.first {
		n := b.alive(t)
		prev := p.prev[from*wide:][:n*wide]
		if t == 0 {
			clear(prev)
		} else {
			copy(prev, p.h[b.first[t-1]*wide:])
		}
		affine(p.level, p.on[from*3*wide:], prev, p.v.from(p.gru.on, 3*wide), w[p.onBias:], n, wide, 3*wide)
		for i := from; i < from+n; i++ {
			gates(p.level, p.in[i*3*wide:][:3*wide], p.on[i*3*wide:][:3*wide], p.prev[i*wide:][:wide], p.h[i*wide:][:wide])
		}
	}
	if copy(p.kept, p.h[:rows*wide]); p.dropping {
		p.drop.draw(p.keep1, rows*wide)
		p.drop.apply(p.kept[:rows*wide], p.h, p.keep1)
	}
	affine(p.level, p.out, p.kept, p.v.from(p.dense, d), w[p.denseBias:], rows, wide, d)
	normalise(p.out, p.hat, p.answer, p.inverse, w[p.gain:], w[p.shift:], rows, d)
	return p.answer[:rows*d]
}

// embed sets x to the items' vectors.
func (p *gruPass) embed(x []float32, b *batch) {
	d := p.d
	for i, item := range b.items {
		if item == masked {
			clear(x[i*d:][:d])
			continue
		}
		copy(x[i*d:][:d], p.v.row(p.v.w, item, d))
	}
}

// push implements pass.
func (p *gruPass) push(b *batch, far float64) {
	p.embed(p.x, b)
	p.foe.push(p.level, p.x, p.gx, b.rows(), p.d, far)
}

// gates turns the sums of one act into its gates, in their place, and answers
// the state after it: r = σ(inᵣ+onᵣ), z = σ(in_z+on_z), n = tanh(inₙ + r·onₙ),
// h = (1−z)·n + z·prev.
func gates(l kernel.Level, in, on, prev, h []float32) {
	wide := len(h)
	both, fresh := in[:2*wide], in[2*wide:]
	for i, v := range both {
		both[i] = -v - on[i]
	}
	l.ExpRow(both, 0)
	for i, e := range both {
		both[i] = 1 / (1 + e)
	}
	reset, update, onto := in[:wide], in[wide:2*wide], on[2*wide:]
	for i, v := range fresh {
		fresh[i] = -2 * (v + reset[i]*onto[i])
	}
	l.ExpRow(fresh, 0)
	for i, e := range fresh {
		n, z := 2/(1+e)-1, update[i]
		fresh[i] = n
		h[i] = n + z*(prev[i]-n)
	}
}

// backward adds to g what gh, the gradient of what forward answered for the
// same batch, makes of every weight.
func (p *gruPass) backward(b *batch, gh, g []float32) {
	rows, d, wide := b.rows(), p.d, p.hidden
	gout := p.gx[:rows*d]
	clear(gout)
	normaliseBack(gh, p.hat, p.inverse, p.v.w[p.gain:], g[p.gain:], g[p.shift:], gout, rows, d)
	affineBack(p.level, g[p.dense:], g[p.denseBias:], p.kept, gout, rows, wide, d)
	p.level.Gemm(rows, wide, d, kernel.Rows(gout, d), p.v.back(p.dense, wide), kernel.Rows(p.gstate, wide), false)
	if p.dropping {
		p.drop.apply(p.gstate[:rows*wide], p.gstate, p.keep1)
	}
	for t := len(b.first) - 1; t >= 0; t-- {
		from, n := b.first[t], b.alive(t)
		for i := from; i < from+n; i++ {
			gatesBack(p.in[i*3*wide:][:3*wide], p.on[i*3*wide:][:3*wide], p.prev[i*wide:][:wide], p.gstate[i*wide:][:wide])
		}
		if t == 0 {
			break
		}
		before := p.gstate[b.first[t-1]*wide:][:n*wide]
		p.level.Axpy(before, 1, p.gstate[from*wide:][:n*wide])
		p.level.Gemm(n, wide, 3*wide, kernel.Rows(p.on[from*3*wide:], 3*wide), p.v.back(p.gru.on, wide), kernel.Rows(before, wide), true)
	}
	affineBack(p.level, g[p.gru.on:], g[p.onBias:], p.prev, p.on, rows, wide, 3*wide)
	affineBack(p.level, g[p.gru.in:], g[p.inBias:], p.x, p.in, rows, d, 3*wide)
	p.level.Gemm(rows, d, 3*wide, kernel.Rows(p.in, 3*wide), p.v.back(p.gru.in, d), kernel.Rows(p.gx, d), false)
	if p.dropping {
		p.drop.apply(p.gx[:rows*d], p.gx, p.keep0)
	}
	for i, item := range b.items {
		if item != masked {
			p.level.Axpy(p.v.row(g, item, d), 1, p.gx[i*d:][:d])
		}
	}
}

// gatesBack turns the gates of one act into the gradients of their sums, in and
// on, and the gradient of the state after it into the part of that before it
// which the update gate lets through.
func gatesBack(in, on, prev, gstate []float32) {
	wide := len(gstate)
	reset, update, fresh := in[:wide], in[wide:][:wide], in[2*wide:][:wide]
	onReset, onUpdate, onFresh := on[:wide], on[wide:][:wide], on[2*wide:][:wide]
	for i, g := range gstate {
		r, z, n := reset[i], update[i], fresh[i]
		gn := g * (1 - z) * (1 - n*n)
		gr := gn * onFresh[i] * r * (1 - r)
		gz := g * (prev[i] - n) * z * (1 - z)
		reset[i], update[i], fresh[i] = gr, gz, gn
		onReset[i], onUpdate[i], onFresh[i] = gr, gz, gn*r
		gstate[i] = g * z
	}
}
