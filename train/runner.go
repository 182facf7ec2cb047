package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
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
	lockPatience = time.Second     // another process trains the tenant: others are not kept waiting
	lastWords    = 30 * time.Second
)

// errCancelled is why a run's context ended.
var errCancelled = errors.New("cancelled")

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
	stops map[string]context.CancelCauseFunc
	ended map[string]time.Time // runs that need not be read again, and when they ended
}

func (r *Runner) init() {
	r.once.Do(func() {
		r.wake, r.under = make(chan struct{}, 1), map[string]*Run{}
		r.stops, r.ended = map[string]context.CancelCauseFunc{}, map[string]time.Time{}
	})
}

// Run does what is asked for, what is due, and what a process left that died,
// until ctx ends.
func (r *Runner) Run(ctx context.Context) {
	r.init()
	look := lookEvery
	if r.Every > 0 {
		look = min(look, r.Every)
	}
	tick := time.NewTicker(look)
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

// round does what has not ended, in the order in which it was asked for, and
// then what is due. Where another process trains the tenant there is nothing to
// do: it looks for more when it is done, and this one a minute later.
func (r *Runner) round(ctx context.Context, t upnext.Tenant) error {
	runs, err := r.unended(ctx, t)
	if err != nil || len(runs) == 0 && !r.due(t) {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, lockPatience)
	unlock, err := r.Locks.Lock(waiting, "train/"+string(t))
	late := waiting.Err() != nil
	cancel()
	if err != nil && late && ctx.Err() == nil {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if runs, err = r.unended(ctx, t); err != nil { // another process may have done them
		return err
	}
	if len(runs) == 0 && r.due(t) {
		run, err := r.Start(ctx, t, nil)
		if err != nil {
			return err
		}
		runs = append(runs, run)
	}
	for _, run := range runs {
		if err := r.do(ctx, t, run.ID); err != nil {
			return err
		}
	}
	return r.drop(ctx, t)
}

// due reports whether the schedule wants a run, none being under way.
func (r *Runner) due(t upnext.Tenant) bool {
	if r.Every == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now, folder := r.Trainer.Now(), runsFolder(t)
	for key, at := range r.ended {
		if strings.HasPrefix(key, folder) && now.Sub(at) < r.Every {
			return false
		}
	}
	return true
}

// do does one run, the tenant's lock being held.
func (r *Runner) do(ctx context.Context, t upnext.Tenant, id string) error {
	key := runKey(t, id)
	run, err := r.load(ctx, key)
	if err != nil || run.Ended() {
		return err
	}
	run.State, run.StartedAt, run.Attempts = Running, r.Trainer.Now().UTC(), run.Attempts+1
	run.Steps, run.Curves = nil, nil
	if run.Attempts > mostAttempts {
		run.State, run.Error, run.EndedAt = Failed, fmt.Sprintf("the process died %d times over it", mostAttempts), run.StartedAt
		return cmp.Or(r.save(ctx, t, run), r.forget(ctx, t, id))
	}
	if err := r.save(ctx, t, run); err != nil {
		return err
	}
	doing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.mu.Lock()
	r.under[key], r.stops[key] = &run, stop
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.under, key)
		delete(r.stops, key)
	}()
	r.follow(doing, t, &run)
	// How it went is kept also where the process is about to end: what has been
	// made need not be made again.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := r.persist(last, t, run); err != nil || !run.Ended() {
		return err
	}
	return r.forget(last, t, id)
}

// persist saves, and tries again while there is time.
func (r *Runner) persist(ctx context.Context, t upnext.Tenant, run Run) error {
	for {
		err := r.save(ctx, t, run)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

// follow trains, and keeps what is told of it. A run that the process's end
// has stopped waits for the next process as it waited before.
func (r *Runner) follow(ctx context.Context, t upnext.Tenant, run *Run) {
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
	switch {
	case err == nil:
		run.State, run.Bundle = Succeeded, &manifest
	case errors.Is(context.Cause(ctx), errCancelled):
		run.State = Cancelled
		r.Trainer.Logger.Info("training cancelled", "tenant", t, "run", run.ID)
	case ctx.Err() != nil:
		run.State, run.Attempts = Queued, run.Attempts-1
		return
	default:
		run.State, run.Error = Failed, err.Error()
		r.Trainer.Logger.Error("training failed", "tenant", t, "run", run.ID, "error", err)
	}
	run.EndedAt = r.Trainer.Now().UTC()
}
