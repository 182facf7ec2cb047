package sequence

import (
	"math"

	"upnext/learn/kernel"
)

// adversary moves embeddings against the model for one pass (He et al. 2018,
// "Adversarial personalized ranking", with the cross-entropy as the loss).
type adversary struct {
	shift []float32 // [rows][d]
	armed bool
}

// push remembers the move: each row's gradient gx brought to far times the
// length of the row x.
func (a *adversary) push(l kernel.Level, x, gx []float32, rows, d int, far float64) {
	a.shift, a.armed = append(a.shift[:0], gx[:rows*d]...), true
	for i := range rows {
		g, own := a.shift[i*d:][:d], x[i*d:][:d]
		k, size := 0., float64(l.Dot(g, g))
		if size > 0 {
			k = far * math.Sqrt(float64(l.Dot(own, own))/size)
		}
		for j := range g {
			g[j] *= float32(k)
		}
	}
}

// apply moves the rows x, once.
func (a *adversary) apply(l kernel.Level, x []float32) {
	if a.armed {
		l.Axpy(x[:len(a.shift)], 1, a.shift)
		a.armed = false
	}
}
