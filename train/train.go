// Package train makes models out of events: read, hold out, fit, measure, blend,
// fit again on everything, store, bring into use.
package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/learn"
	"upnext/learn/blend"
	"upnext/learn/bundle"
	"upnext/learn/collab"
	"upnext/learn/ranking"
	"upnext/learn/relevance"
	"upnext/learn/split"
	"upnext/train/registry"
)

// Trainer trains one tenant at a time. It is safe for concurrent use.
type Trainer struct {
	Events   upnext.Events
	Registry *registry.Registry

	// Speaks returns what says whether an event speaks for its item, and whether
	// clearly so. Models learn from the clear ones; where these are few, as with a
	// caller who sends nothing but views, from all.
	Speaks func(context.Context, upnext.Tenant) (func(upnext.Event) (atAll, clearly bool), error)

	// Content returns the name of the collection that requests are answered from,
	// and its vectors of ids, nil for one that has none. nil: bundles place no
	// new items.
	Content func(ctx context.Context, t upnext.Tenant, ids []upnext.ItemID) (collection string, vectors [][]float32, err error)

	Least     int    // acts of an item to be learned of
	Validated int    // viewers whose newest act is held out, at most
	Seed      uint64 // chooses them
	Promote   bool   // brings a bundle into use that beats popularity

	Features []string // that requests are scored by
	Shown    Shown    // what their weights are learned from; the zero value: they are not
	Logger   *slog.Logger
	Now      func() time.Time
}

// Progress is told as models are fitted, by one goroutine at a time.
type Progress func(model string, step learn.Step)

// fitted is one model on its way.
type fitted struct {
	name  string // as it was asked for
	model learn.Model
	part  bundle.Part
}

// Train makes a bundle of a tenant's events and stores it. A log from which
// nothing can be learned is ErrInvalid and changes nothing; a model that cannot
// learn from it is left out, with a line in the log. The caller sees to it that
// a tenant is trained once at a time.
//
// names are of Models; none are the Standard ones. keep holds the state of what
// is fitted, by phase ("fit", "refit"), so that the same training begun again
// goes on; it may be nil.
func (tr *Trainer) Train(ctx context.Context, t upnext.Tenant, names []string, keep func(phase string) Checkpoints, tell Progress) (bundle.Manifest, error) {
	if keep == nil {
		keep = func(string) Checkpoints { return nil }
	}
	began := tr.Now()
	b, err := tr.read(ctx, t)
	if err != nil {
		return bundle.Manifest{}, err
	}
	if err := b.log.Check(); err != nil {
		return bundle.Manifest{}, err
	}
	rest, cases := tr.holdOut(b.log)
	if len(cases) == 0 {
		return bundle.Manifest{}, fmt.Errorf("no viewer took to two items that others took to: %w", upnext.ErrInvalid)
	}
	fitters, err := Fitters(b.log, names, tr.Seed, keep("fit"))
	if err != nil {
		return bundle.Manifest{}, err
	}
	parts, err := tr.fit(ctx, fitters, rest, cases, tell)
	if err != nil {
		return bundle.Manifest{}, err
	}
	together, err := tr.weigh(ctx, parts, cases, tell)
	if err != nil {
		return bundle.Manifest{}, err
	}
	least, err := popularity(ctx, parts, rest, cases)
	if err != nil {
		return bundle.Manifest{}, err
	}
	page, err := tr.pageWeights(ctx, t)
	if err != nil && ctx.Err() == nil { // models are of use without them
		tr.Logger.Warn("weights of a page not learned", "tenant", t, "error", err)
	}
	parts = slices.DeleteFunc(parts, func(f *fitted) bool { return f.part.Weight == 0 })
	cold, err := tr.tryContent(ctx, t, b, rest, cases, parts)
	if err != nil {
		return bundle.Manifest{}, err
	}
	fitters, err = Fitters(b.log, namesOf(parts), tr.Seed, keep("refit"))
	if err != nil {
		return bundle.Manifest{}, err
	}
	if err := tr.refit(ctx, fitters, b.log, parts, tell); err != nil {
		return bundle.Manifest{}, err
	}
	places, err := cold.learn(ctx, parts, collab.Acts(b.log))
	if err != nil {
		return bundle.Manifest{}, err
	}
	made, err := tr.join(b, parts, places, bundle.Manifest{
		Content: cold.said(), Page: page,
		Format: bundle.Format, Version: ulid.MustNewDefault(began).String(), CreatedAt: began.UTC(), Seed: tr.Seed, Blend: together, Features: tr.Features,
		Data: bundle.Data{Viewers: len(b.log.Viewers), Items: len(b.items), Acts: b.acts, Newest: b.newest.UTC(), Validated: len(cases)},
	})
	if err != nil {
		return bundle.Manifest{}, err
	}
	if err := tr.Registry.Put(ctx, t, made); err != nil {
		return bundle.Manifest{}, err
	}
	tr.Logger.Info("models trained", "tenant", t, "version", made.Version, "models", len(parts), "viewers", len(b.log.Viewers), "items", len(b.items),
		"acts", b.acts, "ndcg@10", together.NDCG10, "seconds", tr.Now().Sub(began).Seconds())
	if err := tr.use(ctx, t, made.Manifest, least); err != nil {
		return bundle.Manifest{}, err
	}
	if err := tr.Registry.Prune(ctx, t); err != nil { // the next training does it
		tr.Logger.Warn("old bundles not deleted", "tenant", t, "error", err)
	}
	return made.Manifest, nil
}

// holdOut leaves the newest act of some viewers out, by the seed.
func (tr *Trainer) holdOut(log learn.Log) (learn.Log, []split.Case) {
	rest, cases := split.LeaveLast(log, 1)
	if len(cases) <= tr.Validated {
		return rest, cases
	}
	rng := rand.New(rand.NewPCG(tr.Seed, 0))
	rng.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	for _, c := range cases[tr.Validated:] { // these keep their newest act
		rest.Viewers[c.Viewer] = log.Viewers[c.Viewer]
	}
	cases = cases[:tr.Validated]
	slices.SortFunc(cases, func(a, b split.Case) int { return cmp.Compare(a.Viewer, b.Viewer) })
	return rest, cases
}

// fit fits each model without what is held out, and measures it; the best
// comes first.
func (tr *Trainer) fit(ctx context.Context, fitters []learn.Fitter, log learn.Log, cases []split.Case, tell Progress) ([]*fitted, error) {
	var parts []*fitted
	var refused error
	for _, f := range fitters {
		began := tr.Now()
		m, err := f.Fit(ctx, log, func(s learn.Step) { tell(f.Name(), s) })
		if errors.Is(err, upnext.ErrInvalid) {
			tr.Logger.Warn("model left out", "model", f.Name(), "error", err)
			refused = errors.Join(refused, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("fit %s: %w", f.Name(), err)
		}
		metrics, err := measure(ctx, m, cases, func(s learn.Step) { tell(f.Name(), s) })
		if err != nil {
			return nil, err
		}
		p := &fitted{asked(f), m, bundle.Part{Name: f.Name(), Metrics: metrics, Seconds: tr.Now().Sub(began).Seconds()}}
		if err := p.shrink(ctx, cases, tell); err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("no model can learn from it: %w", cmp.Or(refused, upnext.ErrInvalid))
	}
	slices.SortStableFunc(parts, func(a, b *fitted) int { return cmp.Compare(b.part.Metrics.NDCG10, a.part.Metrics.NDCG10) })
	return parts, nil
}

// asked is the name that a fitter goes by in Models: EASE has two forms.
func asked(f learn.Fitter) string {
	if f.Name() == "sparse-ease" {
		return "ease"
	}
	return f.Name()
}

func ndcg10(r relevance.Ranking) float64 { return r.NDCG(10) }

// measure ranks the whole catalogue for each case.
func measure(ctx context.Context, m learn.Model, cases []split.Case, watch learn.Watch) (sum bundle.Metrics, err error) {
	result, err := ranking.Rank(ctx, m, cases, 0, watch)
	if err != nil {
		return sum, err
	}
	for _, a := range result.Answers {
		sum.HR10 += a.Ranking.HR(10)
		sum.NDCG10 += a.Ranking.NDCG(10)
	}
	sum.HR10 /= float64(len(cases))
	sum.NDCG10 /= float64(len(cases))
	return sum, nil
}

// Weights are tuned by as many cases as look at mostTuned scores a sweep and weight:
// a large catalogue would take minutes for digits that say nothing.
const (
	mostTuned  = 200_000_000
	leastTuned = 1000
)

// some are n of the cases, evenly spread; all, where there are no more.
func some(cases []split.Case, n int) []split.Case {
	if len(cases) <= n {
		return cases
	}
	few := make([]split.Case, n)
	for i := range few {
		few[i] = cases[i*len(cases)/n]
	}
	return few
}

// weigh sets the parts' weights, and measures them together.
func (tr *Trainer) weigh(ctx context.Context, parts []*fitted, cases []split.Case, tell Progress) (bundle.Metrics, error) {
	models := make([]learn.Model, len(parts))
	for i, p := range parts {
		models[i] = p.model
	}
	weights, _, err := blend.Tune(ctx, models, some(cases, max(leastTuned, mostTuned/models[0].Items())), ndcg10, func(s learn.Step) { tell("blend", s) })
	if err != nil {
		return bundle.Metrics{}, fmt.Errorf("weigh the models: %w", err)
	}
	for i, p := range parts {
		p.part.Weight = weights[i]
	}
	together, err := blend.New(models, weights)
	if err != nil {
		return bundle.Metrics{}, err
	}
	return measure(ctx, together, cases, func(s learn.Step) { tell("blend", s) })
}

func namesOf(parts []*fitted) []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

// refit fits the models that have a weight on everything: a fitter a part.
func (tr *Trainer) refit(ctx context.Context, fitters []learn.Fitter, log learn.Log, parts []*fitted, tell Progress) (err error) {
	for i, p := range parts {
		began := tr.Now()
		if p.model, err = fitters[i].Fit(ctx, log, func(s learn.Step) { tell(p.part.Name+" refit", s) }); err != nil {
			return fmt.Errorf("fit %s again: %w", p.part.Name, err)
		}
		if p.part.Exact != nil {
			p.model = inBytes(p.model)
		}
		p.part.Refit = true
		p.part.Seconds += tr.Now().Sub(began).Seconds()
	}
	return nil
}

func (tr *Trainer) join(b behaviour, parts []*fitted, places []*collab.Places, m bundle.Manifest) (*bundle.Bundle, error) {
	models := make([]learn.Model, len(parts))
	for i, p := range parts {
		models[i] = p.model
		m.Models = append(m.Models, p.part)
	}
	return bundle.New(m, b.items, models, places...)
}

// popularity is what the most popular items reach, which others must beat to be
// brought into use.
func popularity(ctx context.Context, parts []*fitted, log learn.Log, cases []split.Case) (bundle.Metrics, error) {
	for _, p := range parts {
		if p.part.Name == (collab.Popular{}).Name() {
			return p.part.Metrics, nil
		}
	}
	m, err := collab.Popular{}.Fit(ctx, log, nil)
	if err != nil {
		return bundle.Metrics{}, fmt.Errorf("fit popularity: %w", err)
	}
	return measure(ctx, m, cases, nil)
}

// use brings the bundle into use where that is asked for, it is better than
// popularity, and nobody has rolled back since the last promotion.
func (tr *Trainer) use(ctx context.Context, t upnext.Tenant, made bundle.Manifest, least bundle.Metrics) error {
	if !tr.Promote {
		return nil
	}
	if made.Blend.NDCG10 <= least.NDCG10 {
		tr.Logger.Warn("models not promoted: no better than popularity", "tenant", t, "version", made.Version, "ndcg@10", made.Blend.NDCG10, "popularity", least.NDCG10)
		return nil
	}
	p, err := tr.Registry.Current(ctx, t)
	if err == nil && p.Held {
		tr.Logger.Warn("models not promoted: somebody has rolled back, and promotes by hand", "tenant", t, "version", made.Version, "in_use", p.Version)
		return nil
	}
	_, err = tr.Registry.Promote(ctx, t, made.Version)
	return err
}
