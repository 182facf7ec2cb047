package sequence

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"upnext"
	"upnext/learn"
	"upnext/learn/kernel"
)

// run is one fitting as far as it is.
type run struct {
	Training
	net     network
	v       *weights
	opt     adam
	average []float32 // of the weights; nil without Average
	best    []float32 // what is kept
	metric  float64   // of best
	idle    int       // validations since
	epoch   int       // the epochs that are done
	steps   int       // an epoch
	loss    float64   // mean of the epoch

	shards []*shard
	sample *sample // nil: the softmax is over all items
	near   likeness
	log    split
	mark   string // of settings and log
}

// shard is one part of every batch: its buffers and its gradient.
type shard struct {
	pass  pass
	head  *head
	batch batch
	gh, g []float32
	loss  float64
	rows  touched
}

// fit learns the weights of a network. Watch is told of every epoch, with the
// metric where one was measured, and of some 20 batches of each.
func (t Training) fit(ctx context.Context, net network, log learn.Log, watch learn.Watch) (*Model, error) {
	r, err := t.start(net, log)
	if err != nil {
		return nil, err
	}
	if err := r.resume(); err != nil {
		return nil, err
	}
	for r.epoch < r.Epochs && !r.tired() {
		if err := r.pass(ctx, watch); err != nil {
			return nil, err
		}
		r.epoch++
		metric := 0.
		if r.epoch%r.Every == 0 || r.epoch == r.Epochs {
			metric = r.judge()
		}
		watch.Tell(learn.Step{Phase: "epoch", Done: r.epoch, Total: r.Epochs, Loss: r.loss, Metric: metric})
		if err := r.save(); err != nil {
			return nil, err
		}
	}
	return newModel(net, &weights{layout: net.layout(), w: r.best}, r.describe()), nil
}

func (t Training) start(net network, log learn.Log) (*run, error) {
	if err := log.Check(); err != nil {
		return nil, err
	}
	t, err := t.settled(log.Items)
	if err != nil {
		return nil, err
	}
	length, hop := net.window()
	r := &run{Training: t, net: net, log: divideLog(log, t.Judges, length, hop)}
	if len(r.log.fitting) == 0 {
		return nil, fmt.Errorf("no viewer has two acts: %w", upnext.ErrInvalid)
	}
	r.mark = r.fingerprint()
	lay, d := net.layout(), net.dim()
	r.v = newWeights(lay, t.Negatives == 0)
	rng := rand.New(rand.NewPCG(t.Seed, 0))
	net.initial(r.v.w, rng)
	t.begin(r.v.w[lay.items:], log.Items, d, rng)
	r.opt = adam{mean: make([]float32, lay.size), square: make([]float32, lay.size)}
	if t.Average > 0 {
		r.average = append([]float32{}, r.v.w...)
	}
	r.steps = (len(r.log.fitting) + t.Batch - 1) / t.Batch
	if t.Negatives > 0 {
		r.sample = newSample(r.log.counts, t.Negatives, d)
	}
	for range t.Shards {
		rows := net.portion()
		s := &shard{pass: net.pass(r.v, rows), head: newHead(kernel.Best(), r.v, log.Items, d, t.Negatives), gh: make([]float32, rows*d), g: make([]float32, lay.size)}
		if r.sample != nil {
			s.rows = newTouched(log.Items)
		}
		r.shards = append(r.shards, s)
	}
	return r, nil
}

// tired reports whether validation has not gained for as long as it may.
func (r *run) tired() bool { return r.Patience > 0 && r.idle >= r.Patience }

// pass is one epoch: every viewer once, in an order that seed and epoch give.
// Nothing random outlives it, so that a run is resumed by its number alone.
func (r *run) pass(ctx context.Context, watch learn.Watch) error {
	rng := rand.New(rand.NewPCG(r.Seed, uint64(r.epoch)+1))
	order := rng.Perm(len(r.log.fitting))
	if r.Augment.Substitute > 0 {
		r.near = newLikeness(kernel.Best(), r.v.w[r.v.items:], r.log.items, r.net.dim(), r.Shards)
	}
	sum, acts := 0., 0
	for from := 0; from < len(order); from += r.Batch {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("epoch %d: %w: %w", r.epoch+1, upnext.ErrUnavailable, err)
		}
		var runs [][]int32
		rows := 0
		for _, v := range order[from:min(from+r.Batch, len(order))] {
			shown := r.Augment.shuffle(r.show(r.log.fitting[v], rng), rng)
			runs = append(runs, shown)
			rows += len(shown) - 1
		}
		sum += r.step(runs, rows, rng)
		acts += rows
		if done := from/r.Batch + 1; done%max(1, r.steps/20) == 0 {
			watch.Tell(learn.Step{Phase: "batch", Done: r.epoch*r.steps + done, Total: r.Epochs * r.steps, Loss: sum / float64(acts)})
		}
	}
	r.loss = sum / float64(acts)
	if math.IsNaN(r.loss) || math.IsInf(r.loss, 0) {
		return fmt.Errorf("epoch %d: the loss is %v, LR %v being too high: %w", r.epoch+1, r.loss, r.LR, upnext.ErrInvalid)
	}
	return nil
}

// show is the part of a viewer's acts that an epoch reads: Length of them and
// the one behind, the last or, by Crop, any.
func (r *run) show(acts []int32, rng *rand.Rand) []int32 {
	length, _ := r.net.window()
	if len(acts) <= length+1 {
		return acts
	}
	end := len(acts)
	if rng.Float64() < r.Crop {
		end = length + 1 + rng.IntN(len(acts)-length)
	}
	return acts[end-length-1 : end]
}
