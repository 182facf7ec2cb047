package sequence

import (
	"math"
	"math/rand/v2"
	"slices"

	"upnext/learn/kernel"
)

// sample is the negatives of one step, shared by all its rows: the catalogue is
// too large for a softmax over all of it.
type sample struct {
	cumulated []float64 // of the chances of the items, for drawing
	chance    []float64
	ids       []int32
	correct   []float32 // log of how often an item of ids is expected among them
	rows      []float32 // [negatives][d] the items' vectors
	turned    []float32 // [d][negatives]
}

// newSample prepares to draw negatives: half of them evenly, half as often as
// the items occur in the log, so that neither the long tail nor the hits are
// left without a push away.
func newSample(counts []int, negatives, d int) *sample {
	s := &sample{
		cumulated: make([]float64, len(counts)), chance: make([]float64, len(counts)), ids: make([]int32, negatives),
		correct: make([]float32, negatives), rows: make([]float32, negatives*d), turned: make([]float32, negatives*d),
	}
	total, sum := 0, 0.
	for _, n := range counts {
		total += n
	}
	for i, n := range counts {
		s.chance[i] = .5/float64(len(counts)) + .5*float64(n)/float64(total)
		sum += s.chance[i]
		s.cumulated[i] = sum
	}
	return s
}

// draw chooses the negatives of a step and collects their vectors.
func (s *sample) draw(rng *rand.Rand, v *weights, d int) {
	whole := s.cumulated[len(s.cumulated)-1]
	for i := range s.ids {
		at, _ := slices.BinarySearch(s.cumulated, rng.Float64()*whole)
		at = min(at, len(s.cumulated)-1)
		s.ids[i] = int32(at)
		s.correct[i] = float32(math.Log(s.chance[at] * float64(len(s.ids))))
		copy(s.rows[i*d:][:d], v.row(v.w, int32(at), d))
	}
	transpose(s.turned, s.rows, len(s.ids), d)
}

// sampled is full with the sum over all items estimated: the target and, each
// by 1/(expected number), the negatives that are not the target (sampled
// softmax with logQ correction, Bengio and Senécal 2008).
func (h *head) sampled(s *sample, hidden, gh []float32, b *batch, scale float32, g []float32) float64 {
	loss, d, wide := 0., h.d, len(s.ids)
	clear(h.gather)
	for from := 0; from < b.rows(); from += chunk {
		n := min(chunk, b.rows()-from)
		logits, x, gx := kernel.Rows(h.logits, wide), kernel.Rows(hidden[from*d:], d), kernel.Rows(gh[from*d:], d)
		h.level.Gemm(n, wide, d, x, kernel.Rows(s.turned, wide), logits, false)
		for i := range n {
			row, target := h.logits[i*wide:][:wide], b.targets[from+i]
			score := h.level.Dot(x.V[i*d:][:d], h.v.row(h.v.w, target, d))
			for j, id := range s.ids {
				if row[j] -= s.correct[j]; id == target {
					row[j] = -math.MaxFloat32 / 4
				}
			}
			highest := max(h.level.MaxRow(row), score)
			h.own[i] = float32(math.Exp(float64(score - highest)))
			sum := h.level.ExpRow(row, highest) + h.own[i]
			loss += math.Log(float64(sum)) + float64(highest) - float64(score)
			h.keep(i, x.V[i*d:][:d], scale/sum)
		}
		h.level.Gemm(n, d, wide, logits, kernel.Rows(s.rows, d), gx, false)
		h.level.Gemm(wide, d, n, logits.T(), kernel.Rows(h.scaled, d), kernel.Rows(h.gather, d), true)
		for i := range n {
			rest := scale - h.own[i]*h.share[i] // the target is one of those summed
			h.target(x.V[i*d:][:d], gx.V[i*d:][:d], b.targets[from+i], h.share[i], rest, g)
		}
	}
	for i, id := range s.ids {
		h.level.Axpy(h.v.row(g, id, d), 1, h.gather[i*d:][:d])
	}
	return loss
}
