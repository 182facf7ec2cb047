package collab

import (
	"context"
	"fmt"

	"upnext"
	"upnext/learn"
	"upnext/learn/matrix"
)

// EASE is the linear autoencoder of Steck, "Embarrassingly Shallow Autoencoders
// for Sparse Data" (WWW 2019): B minimises |X - XB|² + λ|B|² with a diagonal of
// zeros. With P = (XᵀX + λI)⁻¹ it is B_ij = -P_ij / P_jj. It needs memory for
// the square of the catalogue, twice where weights are then pruned or rounded.
type EASE struct {
	Lambda   float64 // 0 means 1000
	Dropout  float64 // share of a history that fitting hides, 0 … 0.9: regularises the popular more
	Even     float64 // viewers count length^-Even in fitting, 0 … 1
	Decay    Decay   // of the acts that ask; the zero value means Tau 4, Floor .02
	Storage  Storage
	MaxItems int // a larger catalogue is refused; 0 means 20,000, which takes 1.6 GB
}

// Name implements learn.Fitter.
func (EASE) Name() string { return ease }

// recent is how much a history's acts count by default: the newest count most,
// all count something (measured on ML-1M, protocol A).
var recent = Decay{Tau: 4, Floor: .02}

func (e EASE) withDefaults() EASE {
	if e.Lambda == 0 {
		e.Lambda = 1000
	}
	if e.Decay == (Decay{}) {
		e.Decay = recent
	}
	if e.MaxItems == 0 {
		e.MaxItems = 20_000
	}
	return e
}

// Fit implements learn.Fitter.
func (e EASE) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	e = e.withDefaults()
	if err := log.Check(); err != nil {
		return nil, err
	}
	if err := e.check(log); err != nil {
		return nil, err
	}
	const steps = 3
	watch.Tell(learn.Step{Phase: "gram", Done: 0, Total: steps})
	taken := takes(log)
	evened(taken, e.Even)
	g, err := matrix.Gram(ctx, taken)
	if err != nil {
		return nil, fmt.Errorf("fit ease: %w", err)
	}
	n := log.Items
	for i := range n {
		g[i*n+i] += float32(e.Lambda) + denoised(e.Dropout)*g[i*n+i]
	}
	watch.Tell(learn.Step{Phase: "factor", Done: 1, Total: steps})
	f, err := matrix.Cholesky(ctx, g, n)
	if err != nil {
		return nil, fmt.Errorf("fit ease: %w", err)
	}
	watch.Tell(learn.Step{Phase: "invert", Done: 2, Total: steps})
	p, err := f.Inverse(ctx)
	if err != nil {
		return nil, fmt.Errorf("fit ease: %w", err)
	}
	withoutSelf(p, n)
	watch.Tell(learn.Step{Phase: "invert", Done: steps, Total: steps})
	return newLinear(ease, n, []Decay{e.Decay}, &weights{rows: n, columns: n, value: p}, e.Storage), nil
}

func (e EASE) check(log learn.Log) error {
	if !(e.Lambda > 0) || !(e.Dropout >= 0 && e.Dropout <= .9) || !(e.Even >= 0 && e.Even <= 1) {
		return fmt.Errorf("ease %+v: %w", e, upnext.ErrInvalid)
	}
	if log.Items > e.MaxItems {
		return fmt.Errorf("ease of %d items, at most %d: sparse-ease takes them: %w", log.Items, e.MaxItems, upnext.ErrInvalid)
	}
	return e.Decay.check()
}

// withoutSelf turns P into B.
func withoutSelf(p []float32, n int) {
	by := make([]float32, n)
	for j := range n {
		by[j] = -1 / p[j*n+j]
	}
	matrix.Each(n, func(i, _ int) {
		row := p[i*n : (i+1)*n]
		for j := range row {
			row[j] *= by[j]
		}
		row[i] = 0
	})
}
