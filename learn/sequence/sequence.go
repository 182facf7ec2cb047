// Package sequence is the models of what comes next in a viewer's run of acts:
// SASRec, which attends to all of it, and GRU, which carries a state along. Both
// are fitted here by hand-written gradients on the loops of learn/kernel.
package sequence

import (
	"fmt"
	"math"
	"math/rand/v2"

	"upnext"
)

// Training is how a model is fitted. Where a field says so, 0 is its default.
type Training struct {
	LR       float64 // Adam's learning rate; 0: 0.0015
	Epochs   int     // at most; 0: 45
	Batch    int     // viewers a step; 0: 32
	Patience int     // validations without a gain after which it stops; 0: it runs to the end
	Every    int     // epochs from one validation to the next; 0: 1
	Judges   int     // viewers whose last act validates; 0: 20,000
	Seed     uint64

	Crop    float64 // chance that a viewer of more acts than Length shows a window of them that is not the last
	Decay   float64 // share of the epochs, the last ones, in which LR falls to 0.02 of itself
	Average float64 // of the weights, by so much a step (0.999): the average is validated and kept; 0: none
	Shrink  float64 // weight decay, in LRs a step
	Augment Augment // of what is shown
	Against float64 // every batch is met a second time, each embedding moved by so much of its length to where it hurts (.1); twice the time; 0: not

	// Negatives are the items that stand for the whole catalogue in the softmax
	// of a step. 0: all up to 50,000 items, 2,048 of more.
	Negatives int

	// Shards are the parts of a batch that are worked on at once. Sums are kept
	// apart by shard, so it is one of the settings that the bits of the model
	// depend on, and not the number of processors; 0: 2.
	Shards int

	// Init are vectors of the items to begin with, such as their content's, row
	// by row; of another length than Dim they are projected at random. nil: none.
	Init []float32

	// Checkpoint keeps the run, so that it goes on after a crash; nil: it starts
	// over.
	Checkpoint Checkpoint
}

const allUpTo = 50_000 // items

// settled is the training with its defaults, checked.
func (t Training) settled(items int) (Training, error) {
	t.Epochs, t.Batch, t.Every, t.Shards, t.Judges = or(t.Epochs, 45), or(t.Batch, 32), or(t.Every, 1), or(t.Shards, 2), or(t.Judges, 20_000)
	if t.LR == 0 {
		t.LR = .0015
	}
	if t.Negatives == 0 && items > allUpTo {
		t.Negatives = 2048
	}
	if t.Negatives >= items {
		t.Negatives = 0 // all of them are fewer
	}
	within := func(v, top float64) bool { return v >= 0 && v <= top }
	if t.Epochs < 1 || t.Batch < 1 || t.Every < 1 || t.Shards < 1 || t.Shards > 256 || t.Judges < 1 || t.Patience < 0 || t.Negatives < 0 ||
		!(t.LR > 0 && t.LR < math.MaxFloat32) || !within(t.Crop, 1) || !within(t.Decay, 1) || !within(t.Average, .999999) || !within(t.Shrink, 1) || !within(t.Against, 1) {
		return t, fmt.Errorf("settings %+v: %w", t.plain(), upnext.ErrInvalid)
	}
	if a := t.Augment; !within(a.Mask, 1) || !within(a.Substitute, 1-a.Mask) || !within(a.Reorder, 1) || a.Substitute > 0 && items > allUpTo {
		return t, fmt.Errorf("augment %+v of %d items (substitutes are found up to %d): %w", a, items, allUpTo, upnext.ErrInvalid)
	}
	if len(t.Init)%items != 0 {
		return t, fmt.Errorf("%d numbers to begin with for %d items: %w", len(t.Init), items, upnext.ErrInvalid)
	}
	for i, v := range t.Init {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return t, fmt.Errorf("number %d to begin with is %v: %w", i, v, upnext.ErrInvalid)
		}
	}
	return t, nil
}

// plain is the training without what is long.
func (t Training) plain() Training {
	t.Init, t.Checkpoint = nil, nil
	return t
}

// or is the value, or where it is 0 what stands for it.
func or(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

// begin writes Init over the items' vectors: brought to d numbers, and to the
// length that drawn ones have.
func (t Training) begin(vectors []float32, items, d int, rng *rand.Rand) {
	if len(t.Init) == 0 {
		return
	}
	from := len(t.Init) / items
	projection := make([]float32, from*d)
	for i := range projection {
		if from == d {
			projection[i] = 0
			if i/d == i%d {
				projection[i] = 1
			}
			continue
		}
		projection[i] = float32(rng.NormFloat64())
	}
	for i := range items {
		x, out := t.Init[i*from:][:from], vectors[i*d:][:d]
		clear(out)
		size := 0.
		for k, v := range x {
			for j, p := range projection[k*d:][:d] {
				out[j] += v * p
			}
		}
		for _, v := range out {
			size += float64(v) * float64(v)
		}
		k := float32(0)
		if size > 0 {
			k = float32(.05 * math.Sqrt(float64(d)/size))
		}
		for j := range out {
			out[j] *= k
		}
	}
}
