package sequence

import (
	"math"

	"upnext/learn/kernel"
)

// adam is the optimiser of Kingma and Ba (2015), with the weights decayed apart
// from the gradient (Loshchilov and Hutter 2019).
type adam struct {
	mean, square []float32
	step         int
}

const (
	meanDecay   = 0.9
	squareDecay = 0.98
	tiny        = 1e-8
)

// advance counts a step and answers its factor at the learning rate given.
func (a *adam) advance(rate float64) float32 {
	a.step++
	n := float64(a.step)
	return float32(rate * math.Sqrt(1-math.Pow(squareDecay, n)) / (1 - math.Pow(meanDecay, n)))
}

// update moves the weights from … to against the gradient.
func (a *adam) update(w, g []float32, from, to int, factor, shrink float32) {
	w, g, m, v := w[from:to], g[from:to], a.mean[from:to], a.square[from:to]
	for i, d := range g {
		m[i] += (1 - meanDecay) * (d - m[i])
		v[i] += (1 - squareDecay) * (d*d - v[i])
		w[i] -= factor*m[i]/(float32(math.Sqrt(float64(v[i])))+tiny) + shrink*w[i]
	}
}

// updateAll sums the shards' gradients, in their order, and moves every weight.
func (a *adam) updateAll(w []float32, grads [][]float32, factor, shrink float32) {
	kernel.Parallel(len(grads), len(w), 1024, func(_, from, to int) {
		sum := grads[0][from:to]
		for _, other := range grads[1:] {
			for i, v := range other[from:to] {
				sum[i] += v
			}
		}
		a.update(w, grads[0], from, to, factor, shrink)
	})
}
