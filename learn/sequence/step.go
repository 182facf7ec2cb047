package sequence

import (
	"math/rand/v2"

	"upnext/learn/kernel"
)

// step moves the weights by one batch and answers the sum of its losses.
func (r *run) step(runs [][]int32, rows int, rng *rand.Rand) float64 {
	r.v.turn()
	if r.sample != nil {
		r.sample.draw(rng, r.v, r.net.dim())
	}
	noise, parts := rng.Uint64(), divide(runs, len(r.shards), r.net.portion())
	kernel.Parallel(len(r.shards), len(r.shards), 1, func(_, from, to int) {
		for i := from; i < to; i++ {
			r.work(r.shards[i], parts[i], 1/float32(rows), noise+uint64(i)<<32)
		}
	})
	factor := r.opt.advance(r.rate())
	r.move(factor)
	loss := 0.
	for _, s := range r.shards {
		loss += s.loss
	}
	return loss
}

// work is a shard's part of a step.
func (r *run) work(s *shard, portions [][][]int32, scale float32, noise uint64) {
	s.loss = 0
	if r.sample == nil {
		clear(s.g)
	} else {
		s.clear(r.v.layout, r.net.dim())
		s.rows.add(r.sample.ids)
	}
	for i, runs := range portions {
		s.batch.pack(runs, r.net.stepwise(), true)
		s.batch.noise = noise + uint64(i)
		if !r.Augment.none() {
			r.Augment.blur(s.batch.items, r.near, r.log.items, rand.New(rand.NewPCG(s.batch.noise, 1)))
		}
		if r.sample != nil {
			s.rows.add(s.batch.items)
			s.rows.add(s.batch.targets)
		}
		if r.Against == 0 {
			s.loss += r.meet(s, scale)
			continue
		}
		s.loss += r.meet(s, scale/2)
		s.pass.push(&s.batch, r.Against)
		r.meet(s, scale/2) // its loss is that of no act
	}
}

// meet adds the gradient of the shard's batch and answers its loss.
func (r *run) meet(s *shard, scale float32) (loss float64) {
	hidden := s.pass.forward(&s.batch, true)
	if r.sample == nil {
		loss = s.head.full(hidden, s.gh, &s.batch, scale, s.g)
	} else {
		loss = s.head.sampled(r.sample, hidden, s.gh, &s.batch, scale, s.g)
	}
	s.pass.backward(&s.batch, s.gh[:s.batch.rows()*r.net.dim()], s.g)
	return loss
}

// rate is Adam's learning rate at the step that comes: it rises over the first
// steps, stays, and falls over the last epochs.
func (r *run) rate() float64 {
	rate, done, all := r.LR, float64(r.opt.step+1), float64(r.steps*r.Epochs)
	if warm := min(100, all/5); done < warm {
		rate *= done / warm
	}
	if left := 1 - done/all; r.Decay > 0 && left < r.Decay {
		rate *= max(.02, left/r.Decay)
	}
	return rate
}

// move updates the weights by the shards' gradients.
func (r *run) move(factor float32) {
	grads := make([][]float32, len(r.shards))
	for i, s := range r.shards {
		grads[i] = s.g
	}
	shrink := factor * float32(r.Shrink)
	if r.sample == nil {
		r.opt.updateAll(r.v.w, grads, factor, shrink)
	} else {
		r.moveTouched(grads, factor, shrink)
	}
	if r.average == nil {
		return
	}
	// The first steps count less, as their weights are far from any good ones.
	k := float32(max(1-r.Average, 1/float64(r.opt.step+1)))
	kernel.Parallel(len(r.shards), len(r.average), 1024, func(_, from, to int) {
		average, w := r.average[from:to], r.v.w[from:to]
		for i, v := range w {
			average[i] += k * (v - average[i])
		}
	})
}
