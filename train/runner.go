package train

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"upnext"
	"upnext/infra/blob"
	"upnext/learn"
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

// recent is how many runs are looked at for one that has not ended: they are
// done in the order in which they were asked for.
const recent = 5

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
