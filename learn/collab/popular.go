package collab

import (
	"context"
	"math"
	"strconv"
	"time"

	"upnext/learn"
	"upnext/learn/artefact"
)

// Popular counts acts, whoever's. It is what every other model has to beat.
type Popular struct {
	HalfLife time.Duration // until an act counts half, from the log's newest; 0, or no times: never
}

// Name implements learn.Fitter.
func (Popular) Name() string { return popular }

// Fit implements learn.Fitter.
func (p Popular) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	if err := log.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	newest := int64(math.MinInt64)
	for _, h := range log.Viewers {
		if n := len(h.At); n > 0 {
			newest = max(newest, h.At[n-1])
		}
	}
	sums := make([]float64, log.Items)
	for _, h := range log.Viewers {
		for i, item := range h.Items {
			w := 1.0
			if p.HalfLife > 0 && h.At != nil {
				w = math.Exp2(-(float64(newest) - float64(h.At[i])) / p.HalfLife.Seconds())
			}
			sums[item] += w
		}
	}
	counts := make([]float32, log.Items)
	for i, s := range sums {
		counts[i] = float32(s)
	}
	watch.Tell(learn.Step{Phase: "count", Done: 1, Total: 1})
	return &countModel{counts}, nil
}

// countModel scores every history alike, the empty one too.
type countModel struct {
	counts []float32
}

func (*countModel) Name() string { return popular }

func (m *countModel) Items() int { return len(m.counts) }

func (m *countModel) Score(_ learn.History, scores []float32) bool {
	copy(scores, m.counts)
	return true
}

func (m *countModel) Artefact() artefact.Artefact {
	n := len(m.counts)
	return artefact.Artefact{Kind: popular, Version: version,
		Settings: map[string]string{"items": strconv.Itoa(n)},
		Tensors:  map[string]artefact.Tensor{"count": artefact.Floats(m.counts, n)}}
}

func loadCounts(a artefact.Artefact) (learn.Model, error) {
	n, err := items(a)
	if err != nil {
		return nil, err
	}
	counts, _, err := a.Floats("count", n)
	if err != nil {
		return nil, err
	}
	return &countModel{counts}, nil
}
