package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"upnext"
	"upnext/learn/bundle"
	"upnext/serve/api"
	"upnext/train"
	"upnext/train/registry"
)

// followEvery is how long another server's promotion may go unseen.
const followEvery = 5 * time.Second

// newTraining makes the registry of bundles and the runner that fills it.
func (e *engines) newTraining() {
	s := e.settings
	e.models = &registry.Registry{Blobs: e.blobs, Locks: e.store.Locks, Load: train.Load, Keep: s.TrainKeep, Now: s.now, Logger: e.logger}
	e.runner = &train.Runner{
		Trainer: &train.Trainer{
			Events: e.store.Events, Registry: e.models, Speaks: e.recommend.Speaks, Content: e.content,
			Least: 2, Validated: 20_000, Seed: s.Seed, Promote: s.TrainPromote == "auto", Features: e.recommend.Features(),
			Shown: train.Shown{Slates: e.store.Slates, Measures: e.store.Measures(), Weights: e.recommend.PageWeights()}, Logger: e.logger, Now: s.now,
		},
		Blobs: e.blobs, Locks: e.store.Locks, Tenants: e.tenants, Every: s.TrainEvery, Board: s.TensorBoard,
	}
}

// content reads vectors of the collection that requests are answered from.
func (e *engines) content(ctx context.Context, t upnext.Tenant, ids []upnext.ItemID) (string, [][]float32, error) {
	name, idx, err := e.indexes.Active(ctx, t)
	if err != nil {
		return "", nil, err
	}
	vectors, err := idx.Vectors(ctx, ids...)
	return name, vectors, err
}

// followModels swaps in what is promoted, here or by another server, until ctx
// ends: for the tenants that somebody has asked for.
func (e *engines) followModels(ctx context.Context) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	refused := map[upnext.Tenant]string{}
	for tenants := e.recommend.Tenants; ; tenants = e.recommend.Known() {
		for _, t := range tenants {
			version, err := e.useModels(ctx, t)
			switch {
			case err == nil:
				delete(refused, t)
			case ctx.Err() == nil && refused[t] != err.Error():
				refused[t] = err.Error() // once is enough
				e.logger.Error("models not swapped: the former ones stay", "tenant", t, "version", version, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// useModels brings the promoted bundle of a tenant into use where another one
// is. What cannot be read leaves the present one.
func (e *engines) useModels(ctx context.Context, t upnext.Tenant) (version string, err error) {
	e.swapping.Lock() // a slow reader must not bring back what another has replaced
	defer e.swapping.Unlock()
	p, err := e.models.Current(ctx, t)
	if errors.Is(err, upnext.ErrNotFound) {
		return "", nil
	}
	if now := e.recommend.Bundle(t); err != nil || now != nil && now.Version == p.Version {
		return p.Version, err
	}
	b, err := e.models.Open(ctx, t, p.Version)
	if err != nil {
		return p.Version, err
	}
	e.recommend.Swap(t, b)
	return p.Version, nil
}

// models are the registry and the runner as the API asks for them.
type models struct{ *engines }

// Bundles makes api.Bundles of the registry's manifests. With a pointer that
// cannot be read none is in use by it, and promoting one mends it.
func (m models) Bundles(ctx context.Context, t upnext.Tenant) ([]api.Bundle, bool, error) {
	list, err := m.models.List(ctx, t)
	if err != nil {
		return nil, false, err
	}
	p, err := m.models.Current(ctx, t)
	if errors.Is(err, registry.ErrDamaged) {
		m.logger.Warn("no bundle is in use by the pointer", "tenant", t, "error", err)
	} else if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return nil, false, err
	}
	all := make([]api.Bundle, len(list))
	for i, manifest := range list {
		all[i] = bundleOf(manifest)
		all[i].InUse, all[i].Former = manifest.Version == p.Version, slices.Contains(p.Former, manifest.Version)
	}
	return all, p.Held, nil
}

func bundleOf(m bundle.Manifest) api.Bundle {
	b := api.Bundle{
		Version: m.Version, CreatedAt: m.CreatedAt, Viewers: m.Data.Viewers, Items: m.Data.Items, Acts: m.Data.Acts,
		Newest: m.Data.Newest, Validated: m.Data.Validated, HR10: m.Blend.HR10, NDCG10: m.Blend.NDCG10, Models: make([]api.TrainedModel, len(m.Models)),
	}
	for i, p := range m.Models {
		b.Models[i] = api.TrainedModel{Name: p.Name, Weight: p.Weight, HR10: p.Metrics.HR10, NDCG10: p.Metrics.NDCG10, Seconds: p.Seconds, Bytes: p.Bytes}
	}
	return b
}

// Promote answers by the bundle at once here, elsewhere within seconds.
func (m models) Promote(ctx context.Context, t upnext.Tenant, version string) error {
	if _, err := m.models.Promote(ctx, t, version); err != nil {
		return err
	}
	m.swapSoon(ctx, t)
	return nil
}

// Rollback is Promote of the former one.
func (m models) Rollback(ctx context.Context, t upnext.Tenant) error {
	if _, err := m.models.Rollback(ctx, t); err != nil {
		return err
	}
	m.swapSoon(ctx, t)
	return nil
}

// swapSoon swaps at once, or leaves it to followModels: what was asked for has
// happened either way.
func (m models) swapSoon(ctx context.Context, t upnext.Tenant) {
	if version, err := m.useModels(ctx, t); err != nil {
		m.logger.Warn("models swapped later", "tenant", t, "version", version, "error", err)
	}
}

// Train asks the runner.
func (m models) Train(ctx context.Context, t upnext.Tenant, names []string) (api.TrainingRun, error) {
	run, err := m.runner.Start(ctx, t, names)
	return runOf(run), err
}

// Runs asks the runner.
func (m models) Runs(ctx context.Context, t upnext.Tenant, limit int) ([]api.TrainingRun, error) {
	list, err := m.runner.List(ctx, t, limit)
	runs := make([]api.TrainingRun, len(list))
	for i, run := range list {
		runs[i] = runOf(run)
	}
	return runs, err
}

// Run asks the runner.
func (m models) Run(ctx context.Context, t upnext.Tenant, id string) (api.TrainingRun, error) {
	run, err := m.runner.Get(ctx, t, id)
	return runOf(run), err
}

// Cancel asks the runner.
func (m models) Cancel(ctx context.Context, t upnext.Tenant, id string) (api.TrainingRun, error) {
	run, err := m.runner.Cancel(ctx, t, id)
	return runOf(run), err
}

func runOf(r train.Run) api.TrainingRun {
	out := api.TrainingRun{
		ID: r.ID, State: string(r.State), Models: append([]string{}, r.Models...), QueuedAt: r.QueuedAt, StartedAt: unlessZero(r.StartedAt), EndedAt: unlessZero(r.EndedAt),
		Error: r.Error, Steps: make([]api.TrainingStep, len(r.Steps)), Curves: make([]api.Curve, len(r.Curves)),
	}
	for i, s := range r.Steps {
		out.Steps[i] = api.TrainingStep(s)
	}
	for i, c := range r.Curves {
		out.Curves[i] = api.Curve{Model: c.Model, Of: c.Of, Points: make([]api.CurvePoint, len(c.Points))}
		for j, p := range c.Points {
			out.Curves[i].Points[j] = api.CurvePoint(p)
		}
	}
	if r.Bundle != nil {
		b := bundleOf(*r.Bundle)
		out.Bundle = &b
	}
	return out
}

func unlessZero(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
