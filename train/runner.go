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
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/infra/blob"
	"upnext/learn"
	"upnext/train/tensorboard"
)

const (
	mostAttempts = 3               // of a run whose process dies: one that kills it must not do so for ever
	saveEvery    = 2 * time.Second // of a run under way
	lookEvery    = time.Minute     // for runs of other processes and for the schedule
)

// Runner does runs, one at a time, and keeps them. It is safe for concurrent
// use; a tenant is trained by one process at a time.
type Runner struct {
	Trainer *Trainer
	Blobs   blob.Store
	Locks   upnext.Locks
	Tenants func() []upnext.Tenant
	Every   time.Duration // from one bundle to the next; 0: only when asked
	Board   string        // folder of TensorBoard's files; empty: none

	once  sync.Once
	wake  chan struct{}
	mu    sync.Mutex
	under map[string]*Run // runs under way here, fresher than those stored
}

func (r *Runner) init() {
	r.once.Do(func() { r.wake, r.under = make(chan struct{}, 1), map[string]*Run{} })
}

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

// Run does what is asked for, what is due, and what a process left that died,
// until ctx ends.
func (r *Runner) Run(ctx context.Context) {
	r.init()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		for _, t := range r.Tenants() {
			if err := r.round(ctx, t); err != nil && ctx.Err() == nil {
				r.Trainer.Logger.Error("training", "tenant", t, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.wake:
		}
	}
}

// recent is how many runs are looked at for one that has not ended.
const recent = 20

func (r *Runner) round(ctx context.Context, t upnext.Tenant) error {
	runs, err := r.List(ctx, t, recent)
	if err != nil {
		return err
	}
	for _, run := range slices.Backward(runs) {
		if !run.Ended() {
			if err := r.do(ctx, t, run.ID); err != nil {
				return err
			}
		}
	}
	if r.Every == 0 {
		return nil
	}
	now := r.Trainer.Now()
	if len(runs) > 0 && (!runs[0].Ended() || now.Sub(runs[0].EndedAt) < r.Every) {
		return nil
	}
	run, err := r.Start(ctx, t, nil)
	if err != nil {
		return err
	}
	return r.do(ctx, t, run.ID)
}

// do does one run, unless another process has ended it meanwhile.
func (r *Runner) do(ctx context.Context, t upnext.Tenant, id string) error {
	unlock, err := r.Locks.Lock(ctx, "train/"+string(t))
	if err != nil {
		return err
	}
	defer unlock()
	run, err := r.load(ctx, runKey(t, id))
	if err != nil || run.Ended() {
		return err
	}
	run.State, run.StartedAt, run.Attempts = Running, r.Trainer.Now().UTC(), run.Attempts+1
	run.Steps, run.Curves = nil, nil
	if run.Attempts > mostAttempts {
		run.State, run.Error, run.EndedAt = Failed, fmt.Sprintf("the process died %d times over it", mostAttempts), run.StartedAt
		return r.save(ctx, t, run)
	}
	if err := r.save(ctx, t, run); err != nil {
		return err
	}
	r.follow(ctx, t, &run)
	if ctx.Err() != nil {
		return ctx.Err() // it goes on where the next process begins
	}
	if err := r.save(ctx, t, run); err != nil {
		return err
	}
	return r.forget(ctx, t, run.ID)
}

// follow trains, and keeps what is told of it.
func (r *Runner) follow(ctx context.Context, t upnext.Tenant, run *Run) {
	key := runKey(t, run.ID)
	r.mu.Lock()
	r.under[key] = run
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.under, key)
	}()
	board := r.board(run.ID)
	defer board.close()
	saved := time.Now()
	keep := func(phase string) Checkpoints { return r.checkpoints(ctx, t, run.ID, phase) }
	manifest, err := r.Trainer.Train(ctx, t, run.Models, keep, func(model string, s learn.Step) {
		r.mu.Lock()
		added := run.note(model, s)
		now := run.clone()
		r.mu.Unlock()
		board.write(added)
		if time.Since(saved) > saveEvery {
			saved = time.Now()
			if err := r.save(ctx, t, now); err != nil && ctx.Err() == nil {
				r.Trainer.Logger.Warn("run not saved", "run", run.ID, "error", err)
			}
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	run.EndedAt = r.Trainer.Now().UTC()
	if err != nil {
		run.State, run.Error = Failed, err.Error()
		r.Trainer.Logger.Error("training failed", "tenant", t, "run", run.ID, "error", err)
		return
	}
	run.State, run.Bundle = Succeeded, &manifest
}

// curves writes a run for TensorBoard; nil writes nothing.
type curves struct {
	*tensorboard.Writer
	warn func(error)
}

func (r *Runner) board(run string) *curves {
	if r.Board == "" {
		return nil
	}
	warn := func(err error) { r.Trainer.Logger.Warn("no curves for TensorBoard", "run", run, "error", err) }
	w, err := tensorboard.Create(r.Board, run, time.Now)
	if err != nil {
		warn(err)
		return nil
	}
	return &curves{w, warn}
}

func (c *curves) write(added []Curve) {
	if c == nil {
		return
	}
	for _, a := range added {
		for _, p := range a.Points {
			if err := c.Scalar(a.Model+"/"+a.Of, p.Step, p.Value); err != nil {
				c.warn(err)
			}
		}
	}
}

func (c *curves) close() {
	if c != nil {
		if err := c.Close(); err != nil {
			c.warn(err)
		}
	}
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
