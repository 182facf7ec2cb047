package sequence

import (
	"math"

	"upnext/learn/kernel"
)

// backward adds to g what gh, the gradient of the vectors that forward gave for
// the same batch, makes of every weight.
func (p *sasrecPass) backward(b *batch, gh, g []float32) {
	rows, d, w := b.rows(), p.d, p.v.w
	dropping := p.rate > 0
	gx, t1, t2 := p.gx[:rows*d], p.t1[:rows*d], p.t2[:rows*d]
	clear(gx)
	normaliseBack(gh, p.hat, p.inverse, w[p.gain:], g[p.gain:], g[p.shift:], gx, rows, d)
	for i := len(p.blocks) - 1; i >= 0; i-- {
		a, at := &p.blocks[i], &p.sasrec.blocks[i]
		p.part(t1, gx, a.keep2, dropping)
		affineBack(p.level, g[at.down:], g[at.downBias:], a.f, t1, rows, p.hidden, d)
		p.level.Gemm(rows, p.hidden, d, kernel.Rows(t1, d), p.v.back(at.down, p.hidden), kernel.Rows(p.ghidden, p.hidden), false)
		rectifyBack(p.ghidden[:rows*p.hidden], a.f)
		affineBack(p.level, g[at.up:], g[at.upBias:], a.c, p.ghidden, rows, d, p.hidden)
		p.level.Gemm(rows, d, p.hidden, kernel.Rows(p.ghidden, p.hidden), p.v.back(at.up, d), kernel.Rows(t2, d), false)
		normaliseBack(t2, a.hat2, a.inverse2, w[at.gain2:], g[at.gain2:], g[at.shift2:], gx, rows, d)

		p.part(t1, gx, a.keep1, dropping)
		affineBack(p.level, g[at.out:], g[at.outBias:], a.o, t1, rows, d, d)
		p.level.Gemm(rows, d, d, kernel.Rows(t1, d), p.v.back(at.out, d), kernel.Rows(t2, d), false)
		p.attendBack(a, at, b, t2, g)
		affineBack(p.level, g[at.qkv:], g[at.qkvBias:], a.a, p.gqkv, rows, d, 3*d)
		p.level.Gemm(rows, d, 3*d, kernel.Rows(p.gqkv, 3*d), p.v.back(at.qkv, d), kernel.Rows(t2, d), false)
		normaliseBack(t2, a.hat1, a.inverse1, w[at.gain1:], g[at.gain1:], g[at.shift1:], gx, rows, d)
	}
	if dropping {
		p.drop.apply(gx, gx, p.keep)
	}
	for s, n := range b.lengths {
		for t := range n {
			row := b.first[s] + t
			p.level.Axpy(g[p.positions+t*d:][:d], 1, gx[row*d:][:d])
			if b.items[row] != masked {
				p.level.Axpy(p.v.row(g, b.items[row], d), 1, gx[row*d:][:d])
			}
		}
	}
}

// push implements pass. The embeddings that it moves are those with their
// positions, before any is dropped.
func (p *sasrecPass) push(b *batch, far float64) {
	p.embed(p.t1, b)
	p.foe.push(p.level, p.t1, p.gx, b.rows(), p.d, far)
}

// part is the gradient of what join dropped in part.
func (p *sasrecPass) part(to, g []float32, keep []uint8, dropping bool) {
	if dropping {
		p.drop.apply(to, g, keep)
		return
	}
	copy(to, g)
}

// rectifyBack keeps the gradient where rectify's answer f is more than 0.
func rectifyBack(g, f []float32) {
	f = f[:len(g)]
	for i, v := range f {
		positive := uint32(-int32(math.Float32bits(v)) >> 31)
		g[i] = math.Float32frombits(math.Float32bits(g[i]) & positive)
	}
}

// attendBack sets gqkv from the gradient of attention's output.
func (p *sasrecPass) attendBack(a *sasrecActs, at *sasrecBlock, b *batch, gout, g []float32) {
	d := p.d
	size := d / p.heads
	qkv, gqkv, probabilities := kernel.Rows(a.qkv, 3*d), kernel.Rows(p.gqkv, 3*d), a.p
	for s, n := range b.lengths {
		for h := range p.heads {
			q, k := qkv.At(b.first[s], h*size), qkv.At(b.first[s], d+h*size)
			gq, gk, gv := gqkv.At(b.first[s], h*size), gqkv.At(b.first[s], d+h*size), gqkv.At(b.first[s], 2*d+h*size)
			gy := kernel.Rows(gout, d).At(b.first[s], h*size)
			shares, gs := kernel.Rows(probabilities, n), kernel.Rows(p.gs, n)
			transposeRows(p.turned, qkv.At(b.first[s], 2*d+h*size), n, size)
			gago := g[at.ago+h*p.length:][:p.length]
			for from := 0; from < n; from += band {
				to := min(from+band, n)
				p.level.Gemm(to-from, to, size, gy.At(from, 0), kernel.Rows(p.turned, n), gs.At(from, 0), false)
				for i := from; i < to; i++ {
					p.softmaxBack(shares.V[i*n:][:i+1], gs.V[i*n:][:to], gago)
				}
				p.level.Gemm(to-from, size, to, gs.At(from, 0), k, gq.At(from, 0), false)
			}
			for from := 0; from < n; from += band { // a column of the triangle begins at its diagonal
				to := min(from+band, n)
				p.level.Gemm(to-from, size, n-from, gs.At(from, from).T(), q.At(from, 0), gk.At(from, 0), false)
				p.level.Gemm(to-from, size, n-from, shares.At(from, from).T(), gy.At(from, 0), gv.At(from, 0), false)
			}
			probabilities = probabilities[n*n:]
		}
	}
	scale(p.gqkv, 3*d, d, b.rows(), float32(1/math.Sqrt(float64(size))))
}

// softmaxBack turns the gradient of a row's shares into that of its scores.
func (p *sasrecPass) softmaxBack(shares, g, gago []float32) {
	seen := g[:len(shares)]
	mean := p.level.Dot(shares, seen)
	for j, v := range shares {
		seen[j] = v * (seen[j] - mean)
	}
	p.level.Axpy(gago[len(gago)-len(seen):], 1, seen)
	clear(g[len(seen):])
}
