// Package blend makes one model of several: per viewer, each part's scores are
// brought to mean 0 and deviation 1 and summed by weights, which Tune chooses on
// cases that no part was fitted on.
package blend

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/kernel"
)

const (
	kind    = "blend"
	version = 1
)

// Blend is a weighted sum of models. It is a learn.Model.
type Blend struct {
	parts   []learn.Model
	weights []float32
	rows    sync.Pool // of *[]float32, a part's scores
}

var _ learn.Model = (*Blend)(nil)

// New blends parts that know the same items; several may be of one name: one kind
// of network, fitted with several seeds. A weight a part; those of weight 0 are
// never asked.
func New(parts []learn.Model, weights []float64) (*Blend, error) {
	if len(parts) == 0 || len(parts) != len(weights) {
		return nil, fmt.Errorf("blend of %d parts by %d weights: %w", len(parts), len(weights), upnext.ErrInvalid)
	}
	b := &Blend{parts: slices.Clone(parts)}
	for i, p := range parts {
		switch w := weights[i]; {
		case math.IsNaN(w) || math.IsInf(w, 0):
			return nil, fmt.Errorf("blend: the weight of %s is %v: %w", p.Name(), w, upnext.ErrInvalid)
		case p.Name() == "" || strings.Contains(p.Name(), ","):
			return nil, fmt.Errorf("blend: a part named %q, which cannot be stored: %w", p.Name(), upnext.ErrInvalid)
		case p.Items() != parts[0].Items():
			return nil, fmt.Errorf("blend: %s knows %d items and %s %d: %w", p.Name(), p.Items(), parts[0].Name(), parts[0].Items(), upnext.ErrInvalid)
		}
		b.weights = append(b.weights, float32(weights[i]))
	}
	b.rows.New = func() any { row := make([]float32, b.Items()); return &row }
	return b, nil
}

// Name implements learn.Model.
func (b *Blend) Name() string { return kind }

// Items implements learn.Model.
func (b *Blend) Items() int { return b.parts[0].Items() }

// Score implements learn.Model: Σ weight · (score − mean) / deviation, both taken
// over the items that are not in the history. A part to which the history says
// nothing is left out; it reports false where all are.
func (b *Blend) Score(h learn.History, scores []float32) bool {
	return b.ScoreBy(func(part int, row []float32) bool { return b.parts[part].Score(h, row) }, h.Items, scores, nil)
}

// Asks reports whether a part's weight is not 0.
func (b *Blend) Asks(part int) bool { return b.weights[part] != 0 }

// ScoreBy is Score where ask answers for the parts, as their Score would for a
// history of these items. It tells of each part that answered how its scores came
// to the blend's scale: by (score − mean)·by, by being 0 where they were all the
// same. What a part would say of an item that it does not know is brought there
// alike.
func (b *Blend) ScoreBy(ask func(part int, row []float32) bool, history []int32, scores []float32, tell func(part int, mean, by float64)) bool {
	row := b.rows.Get().(*[]float32)
	defer b.rows.Put(row)
	clear(scores)
	told := false
	for i := range b.parts {
		if !b.Asks(i) || !ask(i, *row) {
			continue
		}
		told = true
		mean, by := moments(*row, history)
		by *= float64(b.weights[i])
		if tell != nil {
			tell(i, mean, by)
		}
		if by == 0 {
			continue // all the same
		}
		into := scores[:len(*row)]
		if far := mean * by; math.Abs(far) < farFromZero {
			kernel.Best().AxpyPlus(into, float32(by), *row, float32(-far))
			continue
		}
		for k, v := range *row {
			into[k] += float32((float64(v) - mean) * by)
		}
	}
	return told
}

// farFromZero is how many deviations a mean may be from zero so that scores in
// float32 keep their digits while the mean is still in them.
const farFromZero = 256

// standardise brings scores to mean 0 and deviation 1 over the items that are not
// in the history. Scores that are all the same become 0.
func standardise(scores []float32, history []int32) {
	mean, by := moments(scores, history)
	for i, s := range scores {
		scores[i] = float32((float64(s) - mean) * by)
	}
}

// moments are the mean of the scores of the items that are not in the history, and
// one by their deviation: 0 where they are all the same.
func moments(scores []float32, history []int32) (mean, by float64) {
	out := slices.Clone(history)
	slices.Sort(out)
	out = slices.Compact(out)
	n := float64(len(scores) - len(out))
	if n < 1 {
		return 0, 0
	}
	total, squares := kernel.Best().Sums(scores)
	for _, item := range out {
		v := float64(scores[item])
		total -= v
		squares -= v * v
	}
	mean = total / n
	variance := squares/n - mean*mean
	if !(variance > 1e-8*mean*mean) {
		// One pass has lost the digits of scores that lie far from zero.
		squares = 0
		for _, s := range scores {
			squares += (float64(s) - mean) * (float64(s) - mean)
		}
		for _, item := range out {
			squares -= (float64(scores[item]) - mean) * (float64(scores[item]) - mean)
		}
		variance = squares / n
	}
	deviation := math.Sqrt(variance)
	if !(deviation > 1e-12*math.Abs(mean)) {
		return mean, 0
	}
	return mean, 1 / deviation
}

// Artefact implements learn.Model: names and weights. The parts are artefacts of
// their own.
func (b *Blend) Artefact() artefact.Artefact {
	names := make([]string, len(b.parts))
	for i, p := range b.parts {
		names[i] = p.Name()
	}
	return artefact.Artefact{Kind: kind, Version: version,
		Settings: map[string]string{"parts": strings.Join(names, ","), "items": strconv.Itoa(b.Items())},
		Tensors:  map[string]artefact.Tensor{"weights": artefact.Floats(slices.Clone(b.weights), len(b.weights))},
	}
}

// Load makes the blend of an artefact again, of parts given in any order, but
// those of one name in that of New; those that it does not name are left out.
func Load(a artefact.Artefact, parts ...learn.Model) (*Blend, error) {
	if err := a.Expect(kind, version); err != nil {
		return nil, err
	}
	names := strings.Split(a.Settings["parts"], ",")
	stored, _, err := a.Floats("weights", len(names))
	if err != nil {
		return nil, fmt.Errorf("blend: %w", err)
	}
	items, err := a.Int("items")
	if err != nil {
		return nil, fmt.Errorf("blend: %w", err)
	}
	ordered, weights := make([]learn.Model, len(names)), make([]float64, len(names))
	parts = slices.Clone(parts)
	for i, name := range names {
		at := slices.IndexFunc(parts, func(p learn.Model) bool { return p != nil && p.Name() == name })
		if at < 0 {
			return nil, fmt.Errorf("blend: no part %q: %w", name, upnext.ErrNotFound)
		}
		if parts[at].Items() != items {
			return nil, fmt.Errorf("blend of %d items: %s knows %d: %w", items, name, parts[at].Items(), upnext.ErrInvalid)
		}
		ordered[i], weights[i] = parts[at], float64(stored[i])
		parts[at] = nil // the next of that name is another
	}
	return New(ordered, weights)
}
