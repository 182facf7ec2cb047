package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/learn"
)

// Runs are objects: models/TENANT/runs/ID.json.
func runsFolder(t upnext.Tenant) string        { return path.Join("models", string(t), "runs") + "/" }
func runKey(t upnext.Tenant, id string) string { return runsFolder(t) + id + ".json" }

// Start asks for a run; Run does it, here or in another process.
func (r *Runner) Start(ctx context.Context, t upnext.Tenant, models []string) (Run, error) {
	r.init()
	if _, err := Fitters(learn.Log{}, models, 0, nil); err != nil {
		return Run{}, fmt.Errorf("train: %w", err)
	}
	now := r.Trainer.Now().UTC()
	run := Run{ID: "run_" + ulid.MustNewDefault(now).String(), State: Queued, Models: models, QueuedAt: now}
	if err := r.save(ctx, t, run); err != nil {
		return Run{}, fmt.Errorf("train: %w", err)
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return run, nil
}

// Get returns a run; ErrNotFound where there is none.
func (r *Runner) Get(ctx context.Context, t upnext.Tenant, id string) (Run, error) {
	r.init()
	r.mu.Lock()
	if live := r.under[runKey(t, id)]; live != nil {
		defer r.mu.Unlock()
		return live.clone(), nil
	}
	r.mu.Unlock()
	if strings.ContainsAny(id, "/\\") {
		return Run{}, fmt.Errorf("run %q: %w", id, upnext.ErrNotFound)
	}
	return r.load(ctx, runKey(t, id))
}

func (r Run) clone() Run {
	r.Steps = slices.Clone(r.Steps)
	r.Curves = slices.Clone(r.Curves)
	for i := range r.Curves {
		r.Curves[i].Points = slices.Clone(r.Curves[i].Points)
	}
	return r
}

// List returns a tenant's runs, newest first, up to limit.
func (r *Runner) List(ctx context.Context, t upnext.Tenant, limit int) ([]Run, error) {
	var ids []string
	for info, err := range r.Blobs.List(ctx, runsFolder(t), "") {
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		ids = append(ids, strings.TrimSuffix(path.Base(info.Key), ".json"))
	}
	slices.Reverse(ids)
	runs := make([]Run, 0, min(limit, len(ids)))
	for _, id := range ids[:min(limit, len(ids))] {
		run, err := r.Get(ctx, t, id)
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		runs = append(runs, run)
	}
	return runs, nil
}

func (r *Runner) save(ctx context.Context, t upnext.Tenant, run Run) error {
	raw, err := json.Marshal(run)
	if err == nil {
		_, err = r.Blobs.Put(ctx, runKey(t, run.ID), bytes.NewReader(raw))
	}
	if err != nil {
		return fmt.Errorf("save run %s: %w", run.ID, err)
	}
	return nil
}

func (r *Runner) load(ctx context.Context, key string) (run Run, err error) {
	in, _, err := r.Blobs.Open(ctx, key, 0)
	if err != nil {
		return run, fmt.Errorf("run: %w", err)
	}
	defer in.Close()
	raw, err := io.ReadAll(in)
	if err == nil {
		if err = json.Unmarshal(raw, &run); err != nil {
			err = errors.Join(upnext.ErrInvalid, err)
		}
	}
	if err != nil {
		return run, fmt.Errorf("run %s: %w", key, err)
	}
	return run, nil
}
