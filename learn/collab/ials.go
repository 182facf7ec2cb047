package collab

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"upnext"
	"upnext/learn"
	"upnext/learn/matrix"
)

// IALS is matrix factorisation for implicit feedback by alternating least
// squares (Hu, Koren, Volinsky, ICDM 2008) in the form of Rendle et al.,
// "Revisiting the Performance of iALS on Item Recommendation Benchmarks" (2021):
// it minimises
//
//	Σ_taken (w·h - 1)² + α Σ_all (w·h)² + λ Σ_v (n_v + α·items)^ν |w_v|² + λ Σ_i (n_i + α·viewers)^ν |h_i|²
//
// over the factors w of viewers and h of items, n being their numbers of takes.
// Each half step solves every viewer, or item, exactly or nearly. The model keeps the
// items' factors only: a viewer's come from the history when it asks.
type IALS struct {
	Factors int     // 0 means 64
	Epochs  int     // 0 means 16
	Steps   int     // of conjugate gradients a half step; 0 means 3, below 0 it is solved exactly
	Alpha   float64 // what a pair not taken counts; 0 means .1; less for larger catalogues: .01 at 40,000 items
	Lambda  float64 // 0 means .003
	Nu      float64 // how regularisation grows with frequency; 0 means 1, below 0 not at all
	Sigma   float64 // spread of a starting factor's length; 0 means .1
	Seed    uint64
	Decay   Decay // of the acts that ask; the zero value counts all alike, as fitting does
}

// Name implements learn.Fitter.
func (IALS) Name() string { return ials }

func (s IALS) withDefaults() IALS {
	set := func(v *float64, standard float64) {
		if *v == 0 {
			*v = standard
		}
	}
	set(&s.Alpha, .1)
	set(&s.Lambda, .003)
	set(&s.Nu, 1)
	set(&s.Sigma, .1)
	s.Nu = max(s.Nu, 0)
	switch {
	case s.Steps == 0:
		s.Steps = 3
	case s.Steps < 0:
		s.Steps = 0
	}
	if s.Factors == 0 {
		s.Factors = 64
	}
	if s.Epochs == 0 {
		s.Epochs = 16
	}
	return s
}

// Fit implements learn.Fitter.
func (s IALS) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	s = s.withDefaults()
	if err := log.Check(); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	byViewer := takes(log)
	byItem := byViewer.T()
	d := s.Factors
	viewers, items := make([]float32, len(log.Viewers)*d), s.start(log.Items)
	viewerSide := newHalfStep(s.Alpha, s.regularise(byViewer), d, s.Steps)
	itemSide := newHalfStep(s.Alpha, s.regularise(byItem), d, s.Steps)
	for epoch := range s.Epochs {
		watch.Tell(learn.Step{Phase: "epoch", Done: epoch, Total: s.Epochs})
		if err := viewerSide.solve(ctx, byViewer, items, viewers); err != nil {
			return nil, fmt.Errorf("fit ials: epoch %d: %w", epoch, err)
		}
		if err := itemSide.solve(ctx, byItem, viewers, items); err != nil {
			return nil, fmt.Errorf("fit ials: epoch %d: %w", epoch, err)
		}
	}
	watch.Tell(learn.Step{Phase: "epoch", Done: s.Epochs, Total: s.Epochs})
	return newFactors(factorSettings{Items: log.Items, Factors: d, Alpha: s.Alpha, Lambda: s.Lambda, Nu: s.Nu, Decay: s.Decay}, items), nil
}

func (s IALS) check() error {
	for _, v := range []float64{s.Alpha, s.Lambda, s.Sigma} {
		if !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("ials %+v: %w", s, upnext.ErrInvalid)
		}
	}
	if s.Factors < 1 || s.Factors > 4096 || s.Epochs < 1 || math.IsNaN(s.Nu) || s.Nu > 4 {
		return fmt.Errorf("ials %+v: %w", s, upnext.ErrInvalid)
	}
	return s.Decay.check()
}

// start draws the items' first factors.
func (s IALS) start(items int) []float32 {
	rng := rand.New(rand.NewPCG(s.Seed, 0x1a15))
	h := make([]float32, items*s.Factors)
	for i := range h {
		h[i] = float32(rng.NormFloat64() * s.Sigma / math.Sqrt(float64(s.Factors)))
	}
	return h
}

// regularise is each row's regularisation.
func (s IALS) regularise(side matrix.Sparse) []float32 {
	by := make([]float32, side.Rows())
	for i := range by {
		by[i] = frequencyScaled(s.Lambda, s.Nu, s.Alpha, side.Start[i+1]-side.Start[i], side.Columns)
	}
	return by
}

// frequencyScaled is λ(n + α·others)^ν.
func frequencyScaled(lambda, nu, alpha float64, n, others int) float32 {
	return float32(lambda * math.Pow(float64(n)+alpha*float64(others), nu))
}
