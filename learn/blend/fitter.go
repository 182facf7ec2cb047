package blend

import (
	"context"
	"fmt"

	"upnext"
	"upnext/learn"
	"upnext/learn/relevance"
	"upnext/learn/split"
)

// Fitter fits parts and their weights on one log. It is a learn.Fitter.
type Fitter struct {
	Parts []learn.Fitter // the strongest first
}

var _ learn.Fitter = Fitter{}

// Name implements learn.Fitter.
func (f Fitter) Name() string { return kind }

// Fit implements learn.Fitter: each viewer's newest act is held out, the parts
// are fitted on the rest, the weights are tuned by NDCG@10 on what is held out,
// and the parts are fitted again on the whole log.
func (f Fitter) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	if err := log.Check(); err != nil {
		return nil, fmt.Errorf("fit blend: %w", err)
	}
	rest, cases := split.LeaveLast(log, 1)
	if len(cases) == 0 {
		return nil, fmt.Errorf("fit blend: no viewer has two acts: %w", upnext.ErrInvalid)
	}
	parts, err := f.fit(ctx, rest, watch)
	if err != nil {
		return nil, err
	}
	weights, _, err := Tune(ctx, parts, cases, func(r relevance.Ranking) float64 { return r.NDCG(10) }, watch)
	if err != nil {
		return nil, fmt.Errorf("fit blend: %w", err)
	}
	if parts, err = f.fit(ctx, log, watch); err != nil {
		return nil, err
	}
	return New(parts, weights)
}

func (f Fitter) fit(ctx context.Context, log learn.Log, watch learn.Watch) ([]learn.Model, error) {
	parts := make([]learn.Model, len(f.Parts))
	for i, p := range f.Parts {
		var err error
		if parts[i], err = p.Fit(ctx, log, watch); err != nil {
			return nil, fmt.Errorf("fit blend: %w", err)
		}
	}
	return parts, nil
}
