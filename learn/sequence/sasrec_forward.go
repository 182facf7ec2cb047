package sequence

import (
	"math"

	"upnext/learn/kernel"
)

// band is how many rows of attention are answered by one product: what lies
// above the diagonal is computed at most so far.
const band = 24

// sasrecPass is one goroutine's buffers, a row an act.
type sasrecPass struct {
	*sasrec
	v                             *weights
	blocks                        []sasrecActs
	last, hat, h, inverse         []float32 // the last block's output, normalised
	gx, t1, t2, gqkv, ghidden, gs []float32 // of the way back
	turned                        []float32 // [d/heads][length] keys or values of one run and head
	keep                          []uint8   // of the embeddings
	drop                          dropout
	foe                           adversary
}

// sasrecActs is what a block leaves for the way back.
type sasrecActs struct {
	in, hat1, a, qkv, o, mid, hat2, c, f []float32
	p                                    []float32 // attention, run by run, head by head
	inverse1, inverse2                   []float32
	keep1, keep2                         []uint8
}

// pass makes buffers for so many rows.
func (n *sasrec) pass(v *weights, rows int) pass {
	floats := func(width int) []float32 { return make([]float32, rows*width) }
	bits := func() []uint8 { return make([]uint8, rows*n.d+8) }
	p := &sasrecPass{sasrec: n, v: v, turned: make([]float32, n.length*n.d)}
	p.last, p.hat, p.h, p.inverse = floats(n.d), floats(n.d), floats(n.d), floats(1)
	for range n.blocks {
		p.blocks = append(p.blocks, sasrecActs{
			in: floats(n.d), hat1: floats(n.d), a: floats(n.d), qkv: floats(3 * n.d), o: floats(n.d), mid: floats(n.d),
			hat2: floats(n.d), c: floats(n.d), f: floats(n.hidden), p: floats(n.length * n.heads), inverse1: floats(1), inverse2: floats(1),
			keep1: bits(), keep2: bits(),
		})
	}
	p.gx, p.t1, p.t2, p.gqkv, p.ghidden = floats(n.d), floats(n.d), floats(n.d), floats(3*n.d), floats(n.hidden)
	p.gs, p.keep = make([]float32, n.length*n.length), bits()
	return p
}

// forward answers, a row an act, the vector that the next item's should be like.
func (p *sasrecPass) forward(b *batch, training bool) []float32 {
	rows, d, w := b.rows(), p.d, p.v.w
	dropping := training && p.rate > 0
	p.drop = newDropout(p.rate, b.noise)
	x := p.last
	if len(p.blocks) > 0 {
		x = p.blocks[0].in
	}
	p.embed(x, b)
	p.foe.apply(p.level, x)
	if dropping {
		p.drop.draw(p.keep, rows*d)
		p.drop.apply(x[:rows*d], x, p.keep)
	}
	for i := range p.blocks {
		a, at, out := &p.blocks[i], &p.sasrec.blocks[i], p.last
		if i+1 < len(p.blocks) {
			out = p.blocks[i+1].in
		}
		normalise(a.in, a.hat1, a.a, a.inverse1, w[at.gain1:], w[at.shift1:], rows, d)
		affine(p.level, a.qkv, a.a, p.v.from(at.qkv, 3*d), w[at.qkvBias:], rows, d, 3*d)
		p.attend(a, at, b)
		affine(p.level, a.mid, a.o, p.v.from(at.out, d), w[at.outBias:], rows, d, d)
		p.join(a.mid, a.in, a.keep1, rows*d, dropping)
		normalise(a.mid, a.hat2, a.c, a.inverse2, w[at.gain2:], w[at.shift2:], rows, d)
		affine(p.level, a.f, a.c, p.v.from(at.up, p.hidden), w[at.upBias:], rows, d, p.hidden)
		rectify(a.f[:rows*p.hidden])
		affine(p.level, out, a.f, p.v.from(at.down, d), w[at.downBias:], rows, p.hidden, d)
		p.join(out, a.mid, a.keep2, rows*d, dropping)
	}
	normalise(p.last, p.hat, p.h, p.inverse, w[p.gain:], w[p.shift:], rows, d)
	return p.h[:rows*d]
}

// embed sets x to the items' vectors with their positions'.
func (p *sasrecPass) embed(x []float32, b *batch) {
	d := p.d
	for s, n := range b.lengths {
		for t := range n {
			row := b.first[s] + t
			out := x[row*d:][:d]
			if copy(out, p.v.w[p.positions+t*d:]); b.items[row] != masked {
				p.level.Axpy(out, 1, p.v.row(p.v.w, b.items[row], d))
			}
		}
	}
}

// attend is causal attention within each run and head.
func (p *sasrecPass) attend(a *sasrecActs, at *sasrecBlock, b *batch) {
	d := p.d
	size := d / p.heads
	scale(a.qkv, 3*d, d, b.rows(), float32(1/math.Sqrt(float64(size))))
	qkv, probabilities := kernel.Rows(a.qkv, 3*d), a.p
	for s, n := range b.lengths {
		for h := range p.heads {
			q := qkv.At(b.first[s], h*size)
			transposeRows(p.turned, qkv.At(b.first[s], d+h*size), n, size)
			ago := p.v.w[at.ago+h*p.length:][:p.length]
			for from := 0; from < n; from += band {
				to := min(from+band, n)
				scores := kernel.Rows(probabilities, n).At(from, 0)
				p.level.Gemm(to-from, to, size, q.At(from, 0), kernel.Rows(p.turned, n), scores, false)
				for i := from; i < to; i++ {
					softmax(p.level, scores.V[(i-from)*n:][:to], ago, i+1)
				}
				p.level.Gemm(to-from, size, to, scores, qkv.At(b.first[s], 2*d+h*size), kernel.Rows(a.o, d).At(b.first[s]+from, h*size), false)
			}
			probabilities = probabilities[n*n:]
		}
	}
}

// softmax turns the first n scores of a row into shares, and the rest, which
// lie in the future, into 0.
func softmax(l kernel.Level, row, ago []float32, n int) {
	seen := row[:n]
	l.Axpy(seen, 1, ago[len(ago)-n:])
	k := 1 / l.ExpRow(seen, l.MaxRow(seen))
	for j := range seen {
		seen[j] *= k
	}
	clear(row[n:])
}

// join sets y to x + y, y being dropped in part.
func (p *sasrecPass) join(y, x []float32, keep []uint8, n int, dropping bool) {
	y, x = y[:n], x[:n]
	if !dropping {
		for i, v := range x {
			y[i] += v
		}
		return
	}
	p.drop.draw(keep, n)
	keep = keep[:n]
	for i, v := range x {
		y[i] = v + y[i]*(float32(keep[i])*p.drop.scale)
	}
}

// rectify sets what is negative to 0. The sign bit decides: a branch would be
// guessed wrong every other time.
func rectify(x []float32) {
	for i, v := range x {
		bits := math.Float32bits(v)
		x[i] = math.Float32frombits(bits &^ uint32(int32(bits)>>31))
	}
}

// scale multiplies the first d numbers of rows that begin width apart.
func scale(x []float32, width, d, rows int, k float32) {
	for t := range rows {
		row := x[t*width:][:d]
		for i := range row {
			row[i] *= k
		}
	}
}

// transposeRows writes n rows of size numbers as size rows of n.
func transposeRows(to []float32, from kernel.Matrix, n, size int) {
	for j := range n {
		for e, v := range from.V[j*from.Row:][:size] {
			to[e*n+j] = v
		}
	}
}
