package sequence

import (
	"math"
	"math/rand/v2"

	"upnext/learn/kernel"
)

// Augment is what is done to the acts that a step shows, so that a model hangs
// on no single one of them: dropped, delayed and injected events are met in
// fitting already. Each number is a chance; what is aimed at stays the truth.
type Augment struct {
	Mask       float64 // of an act to be shown without its item
	Substitute float64 // of an act to be shown as one of the items most like its own
	Reorder    float64 // of a viewer to be shown with a short stretch shuffled
}

const (
	masked  = int32(-1) // in the place of an item: no vector but the position's
	stretch = 5         // acts that are shuffled
	alike   = 8         // items that stand for one
)

// none reports that nothing is asked for.
func (a Augment) none() bool { return a == Augment{} }

// likeness is the alike nearest items of each by the cosine of their vectors,
// made anew every epoch.
type likeness []int32

// newLikeness looks for them by blocks of the product of all vectors with all.
func newLikeness(l kernel.Level, vectors []float32, items, d, workers int) likeness {
	n := min(alike, items-1)
	unit, near := make([]float32, items*d), make(likeness, items*n)
	for i := range items {
		x := vectors[i*d:][:d]
		if size := l.Dot(x, x); size > 0 {
			l.Axpy(unit[i*d:][:d], float32(1/math.Sqrt(float64(size))), x)
		}
	}
	turned := make([]float32, items*d)
	transpose(turned, unit, items, d)
	kernel.Parallel(workers, items, 12, func(_, from, to int) {
		row := make([]float32, items*12)
		for ; from < to; from += 12 {
			rows := min(12, to-from)
			l.Gemm(rows, items, d, kernel.Rows(unit[from*d:], d), kernel.Rows(turned, items), kernel.Rows(row, items), false)
			for i := range rows {
				nearest(row[i*items:][:items], from+i, near[(from+i)*n:][:n])
			}
		}
	})
	return near
}

// nearest sets ids to the items of the highest scores but own, best first.
func nearest(scores []float32, own int, ids []int32) {
	found := 0
	for i, v := range scores {
		if i == own || found == len(ids) && v <= scores[ids[found-1]] {
			continue
		}
		at := min(found, len(ids)-1)
		for at > 0 && scores[ids[at-1]] < v {
			ids[at] = ids[at-1]
			at--
		}
		ids[at] = int32(i)
		found = min(found+1, len(ids))
	}
}

// blur changes the items of a packed batch, whose targets stay.
func (a Augment) blur(items []int32, near likeness, all int, rng *rand.Rand) {
	n := min(alike, all-1)
	for i, item := range items {
		switch v := rng.Float64(); {
		case v < a.Mask:
			items[i] = masked
		case v < a.Mask+a.Substitute:
			items[i] = near[int(item)*n+rng.IntN(n)]
		}
	}
}

// shuffle answers a run with a stretch in another order: what is aimed at
// follows the order too. It never changes what it is given.
func (a Augment) shuffle(run []int32, rng *rand.Rand) []int32 {
	if rng.Float64() >= a.Reorder || len(run) < 2 {
		return run
	}
	run = append([]int32(nil), run...)
	n := min(stretch, len(run))
	some := run[rng.IntN(len(run)-n+1):][:n]
	rng.Shuffle(n, func(i, j int) { some[i], some[j] = some[j], some[i] })
	return run
}
