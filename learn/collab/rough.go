package collab

import (
	"slices"

	"upnext/learn/kernel/quantised"
)

// roughItems are factors as bytes. A question to all items of a large catalogue
// takes as long as it takes to read their factors, so that a quarter of the bytes
// is a quarter of the time; on the order of the best it costs next to nothing: see
// docs/results.md.
type roughItems struct {
	stride int
	rows   []byte
	scales []float32
}

// manyFactors is how many there are where float32 no longer fits a processor's
// cache; smaller models are scored exactly.
const manyFactors = 1 << 20

func roughly(items []float32, d int) *roughItems {
	if len(items) < manyFactors {
		return nil
	}
	n, stride := len(items)/d, quantised.Padded(d)
	r := &roughItems{stride, make([]byte, (n+3)&^3*stride), make([]float32, n)}
	for i := range n {
		r.scales[i] = quantised.Row(items[i*d:(i+1)*d], r.rows[i*stride:(i+1)*stride])
	}
	return r
}

// score sets scores to the products of a.viewer with every item.
func (r *roughItems) score(a *asked, scores []float32) {
	n := len(r.rows) / r.stride
	a.bytes, a.products = slices.Grow(a.bytes[:0], r.stride)[:r.stride], slices.Grow(a.products[:0], n)[:n]
	scale, bias := quantised.Query(a.viewer, a.bytes)
	quantised.Best.Scan(&a.bytes[0], &r.rows[0], n, r.stride, &a.products[0])
	for i, product := range a.products[:len(scores)] {
		scores[i] = float32(product-bias) * (scale * r.scales[i])
	}
}
