package sequence

import (
	"math"

	"upnext/learn/kernel"
)

// chunk is how many rows of logits are alive at a time. They are used up before
// they leave the cache, and the whole table of logits is never stored.
const chunk = 96

// head is the softmax over the items and its cross-entropy, together with its
// gradient. Items have one vector, for what goes in and for what comes out.
type head struct {
	level    kernel.Level
	v        *weights
	items, d int
	logits   []float32 // [chunk][items or negatives]
	scaled   []float32 // [chunk][d] hidden vectors by their share of the gradient
	share    []float32 // [chunk] what a row's exponentials are multiplied with
	own      []float32 // [chunk] the target's exponential, where negatives are drawn
	gather   []float32 // [negatives][d] gradient of the negatives
}

func newHead(l kernel.Level, v *weights, items, d, negatives int) *head {
	wide := items
	if negatives > 0 {
		wide = negatives
	}
	return &head{
		level: l, v: v, items: items, d: d, logits: make([]float32, chunk*wide), scaled: make([]float32, chunk*d),
		share: make([]float32, chunk), own: make([]float32, chunk), gather: make([]float32, negatives*d),
	}
}

// full sums the cross-entropy of the batch's targets under the softmax of every
// item. It sets gh to its gradient by the hidden vectors and adds that by the
// items' vectors to g, both by scale.
func (h *head) full(hidden, gh []float32, b *batch, scale float32, g []float32) float64 {
	loss, d, items := 0., h.d, h.items
	for from := 0; from < b.rows(); from += chunk {
		n := min(chunk, b.rows()-from)
		logits, x, gx := kernel.Rows(h.logits, items), kernel.Rows(hidden[from*d:], d), kernel.Rows(gh[from*d:], d)
		h.level.Gemm(n, items, d, x, h.v.back(h.v.items, items), logits, false)
		for i := range n {
			row := h.logits[i*items:][:items]
			target := row[b.targets[from+i]]
			highest := h.level.MaxRow(row)
			sum := h.level.ExpRow(row, highest)
			loss += math.Log(float64(sum)) + float64(highest) - float64(target)
			h.keep(i, x.V[i*d:][:d], scale/sum)
		}
		// The rows are not divided by their sums: the products are, being smaller.
		h.level.Gemm(n, d, items, logits, h.v.from(h.v.items, d), gx, false)
		h.level.Gemm(items, d, n, logits.T(), kernel.Rows(h.scaled, d), kernel.Rows(g[h.v.items:], d), true)
		for i := range n {
			h.target(x.V[i*d:][:d], gx.V[i*d:][:d], b.targets[from+i], h.share[i], scale, g)
		}
	}
	return loss
}

// keep notes a hidden vector's share.
func (h *head) keep(i int, x []float32, share float32) {
	h.share[i] = share
	out := h.scaled[i*h.d:][:len(x)]
	for j, v := range x {
		out[j] = v * share
	}
}

// target finishes the gradient of one row: by share, and less what the target
// takes away.
func (h *head) target(x, gx []float32, item int32, share, scale float32, g []float32) {
	e, ge := h.v.row(h.v.w, item, len(x)), h.v.row(g, item, len(x))
	for j, v := range x {
		gx[j] = gx[j]*share - e[j]*scale
		ge[j] -= v * scale
	}
}
