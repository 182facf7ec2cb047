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

// errDamaged says that a stored run can no longer be read.
var errDamaged = errors.New("damaged")

// mostKept is how many runs of a tenant are kept.
const mostKept = 200

// Runs are objects: models/TENANT/runs/ID.json.
func runsFolder(t upnext.Tenant) string        { return path.Join("models", string(t), "runs") + "/" }
func runKey(t upnext.Tenant, id string) string { return runsFolder(t) + id + ".json" }

// mostWaiting is how many runs of a tenant may wait; one that asks for what is
// waiting already is that one.
const mostWaiting = 10

// Start asks for a run; Run does it, here or in another process. ErrConflict
// where too many wait.
func (r *Runner) Start(ctx context.Context, t upnext.Tenant, models []string) (Run, error) {
	r.init()
	if _, err := Fitters(learn.Log{}, models, 0, nil); err != nil {
		return Run{}, fmt.Errorf("train: %w", err)
	}
	waiting, err := r.unended(ctx, t)
	if err != nil {
		return Run{}, fmt.Errorf("train: %w", err)
	}
	for _, w := range waiting {
		if w.State == Queued && w.Attempts == 0 && slices.Equal(w.Models, models) {
			return w, nil
		}
	}
	if len(waiting) >= mostWaiting {
		return Run{}, fmt.Errorf("train: %d runs have not ended: %w", len(waiting), upnext.ErrConflict)
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

// List returns a tenant's runs, newest first, up to limit. One that is damaged
// is left out, with a line in the log.
func (r *Runner) List(ctx context.Context, t upnext.Tenant, limit int) ([]Run, error) {
	r.init()
	ids, err := r.ids(ctx, t)
	if err != nil {
		return nil, err
	}
	var runs []Run
	for _, id := range slices.Backward(ids) {
		if len(runs) == limit {
			break
		}
		run, err := r.Get(ctx, t, id)
		if errors.Is(err, errDamaged) || errors.Is(err, upnext.ErrNotFound) {
			r.complain(t, id, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// ids are those of a tenant's runs, oldest first.
func (r *Runner) ids(ctx context.Context, t upnext.Tenant) (ids []string, err error) {
	for info, err := range r.Blobs.List(ctx, runsFolder(t), "") {
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		ids = append(ids, strings.TrimSuffix(path.Base(info.Key), ".json"))
	}
	return ids, nil
}

// unended are the runs that wait or are under way, oldest first. An ended one
// is read once: nothing more will come of it.
func (r *Runner) unended(ctx context.Context, t upnext.Tenant) ([]Run, error) {
	r.init()
	ids, err := r.ids(ctx, t)
	if err != nil {
		return nil, err
	}
	var runs []Run
	for _, id := range ids {
		key := runKey(t, id)
		r.mu.Lock()
		_, over := r.ended[key]
		r.mu.Unlock()
		if over {
			continue
		}
		run, err := r.Get(ctx, t, id)
		switch {
		case errors.Is(err, errDamaged), errors.Is(err, upnext.ErrNotFound):
			r.complain(t, id, err)
		case err != nil:
			return nil, fmt.Errorf("list runs: %w", err)
		case !run.Ended():
			runs = append(runs, run)
			continue
		}
		r.mu.Lock()
		r.ended[key] = run.EndedAt
		r.mu.Unlock()
	}
	return runs, nil
}

// complain says once that a run cannot be read.
func (r *Runner) complain(t upnext.Tenant, id string, err error) {
	r.mu.Lock()
	_, again := r.ended[runKey(t, id)]
	r.mu.Unlock()
	if !again {
		r.Trainer.Logger.Warn("run left out", "tenant", t, "run", id, "error", err)
	}
}

// Cancel ends a run that waits or is under way in this process; ErrConflict
// where it has ended or another process does it.
func (r *Runner) Cancel(ctx context.Context, t upnext.Tenant, id string) (Run, error) {
	run, err := r.Get(ctx, t, id)
	if err != nil {
		return Run{}, err
	}
	fail := func(why string) (Run, error) {
		return Run{}, fmt.Errorf("cancel run %s: %s: %w", id, why, upnext.ErrConflict)
	}
	if run.Ended() {
		return fail("it has " + string(run.State))
	}
	r.mu.Lock()
	stop := r.stops[runKey(t, id)]
	r.mu.Unlock()
	if stop != nil {
		stop(errCancelled)
		return run, nil
	}
	if run.State == Running {
		return fail("another process does it")
	}
	run.State, run.EndedAt = Cancelled, r.Trainer.Now().UTC()
	return run, r.save(ctx, t, run)
}

// drop deletes the oldest runs that have ended, but mostKept.
func (r *Runner) drop(ctx context.Context, t upnext.Tenant) error {
	ids, err := r.ids(ctx, t)
	if err != nil {
		return err
	}
	for _, id := range ids[:max(0, len(ids)-mostKept)] {
		key := runKey(t, id)
		r.mu.Lock()
		_, over := r.ended[key]
		delete(r.ended, key)
		r.mu.Unlock()
		if !over {
			continue
		}
		if err := r.Blobs.Delete(ctx, key); err != nil && !errors.Is(err, upnext.ErrNotFound) {
			return fmt.Errorf("drop run %s: %w", id, err)
		}
	}
	return nil
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
	if errors.Is(err, upnext.ErrNotFound) { // the caller named it, and knows of no objects
		return run, fmt.Errorf("run %q: %w", strings.TrimSuffix(path.Base(key), ".json"), upnext.ErrNotFound)
	}
	if err != nil {
		return run, fmt.Errorf("run: %w", err)
	}
	defer in.Close()
	raw, err := io.ReadAll(in)
	if err == nil {
		if err = json.Unmarshal(raw, &run); err != nil {
			err = errors.Join(errDamaged, err)
		}
	}
	if err != nil {
		return run, fmt.Errorf("run %s: %w", key, err)
	}
	return run, nil
}
