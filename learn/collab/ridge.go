package collab

import (
	"context"
	"fmt"

	"upnext"
	"upnext/learn"
	"upnext/learn/matrix"
)

// Ridge regresses the next item, one-hot, on the decayed history before it, at
// one time scale or several: B = (SᵀS + λI)⁻¹SᵀT, where a row of S is what was
// known before an act, one block of columns a scale, and T's row the act. It is
// a first-order sequence model in closed form: nothing is iterated. It needs
// memory for (scales·items)² + scales·items² floats.
type Ridge struct {
	Lambda   float64 // 0 means 300
	Scales   []Decay // each with Last above 0; nil means the two of design/seqmodel.md. HalfLife is not used
	Storage  Storage
	MaxItems int // a larger catalogue is refused; 0 means 20,000 over the number of scales
}

// Name implements learn.Fitter.
func (Ridge) Name() string { return ridge }

func (r Ridge) withDefaults() Ridge {
	if r.Lambda == 0 {
		r.Lambda = 300
	}
	if r.Scales == nil {
		r.Scales = []Decay{{Weight: 1, Tau: 1.5, Last: 3}, {Weight: .5, Tau: 20, Last: 60}}
	}
	if r.MaxItems == 0 {
		r.MaxItems = 20_000 / max(1, len(r.Scales))
	}
	return r
}

// Fit implements learn.Fitter.
func (r Ridge) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	r = r.withDefaults()
	if err := log.Check(); err != nil {
		return nil, err
	}
	if err := r.check(log); err != nil {
		return nil, err
	}
	const steps = 3
	watch.Tell(learn.Step{Phase: "gram", Done: 0, Total: steps})
	n, m := log.Items, log.Items*len(r.Scales)
	g, t, err := newLags(r.Scales).products(ctx, log)
	if err != nil {
		return nil, fmt.Errorf("fit ridge: %w", err)
	}
	for i := range m {
		g[i*m+i] += float32(r.Lambda)
	}
	watch.Tell(learn.Step{Phase: "factor", Done: 1, Total: steps})
	f, err := matrix.Cholesky(ctx, g, m)
	if err != nil {
		return nil, fmt.Errorf("fit ridge: %w", err)
	}
	watch.Tell(learn.Step{Phase: "solve", Done: 2, Total: steps})
	if err := f.Solve(ctx, t, n); err != nil {
		return nil, fmt.Errorf("fit ridge: %w", err)
	}
	watch.Tell(learn.Step{Phase: "solve", Done: steps, Total: steps})
	return newLinear(ridge, n, r.Scales, &weights{rows: m, columns: n, value: t}, r.Storage), nil
}

func (r Ridge) check(log learn.Log) error {
	if !(r.Lambda > 0) {
		return fmt.Errorf("ridge with λ %v: %w", r.Lambda, upnext.ErrInvalid)
	}
	if log.Items > r.MaxItems {
		return fmt.Errorf("ridge of %d items, at most %d: %w", log.Items, r.MaxItems, upnext.ErrInvalid)
	}
	if len(r.Scales) == 0 || len(r.Scales) > 8 {
		return fmt.Errorf("ridge on %d scales: %w", len(r.Scales), upnext.ErrInvalid)
	}
	for _, d := range r.Scales {
		if err := d.check(); err != nil {
			return err
		}
		if d.Last < 1 || d.Last > 1000 || d.HalfLife != 0 {
			return fmt.Errorf("ridge: decay %+v: Last must be 1 to 1000, HalfLife 0: %w", d, upnext.ErrInvalid)
		}
	}
	return nil
}
