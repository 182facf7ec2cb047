package ingest

import (
	"context"
	"fmt"

	"github.com/riverqueue/river"

	"upnext/infra/jobs"
)

// A step that kills whoever works it must end its import: it would kill them
// all, one after the other. A step that was merely there when processes died
// must not. After maxCrashes, fewer than the queue takes to discard the job
// without a word, it gets another chance if batches were done meanwhile, and
// few of those.
const (
	maxCrashes = jobs.MaxCrashes - 1
	maxChances = 3
)

// chance is what a step's job knows of those in its place that died before.
type chance struct {
	Chances int `json:"chances,omitempty"` // that were given
	Done    int `json:"done,omitempty"`    // batches and events, at the last
}

// stepArgs are a job's.
type stepArgs interface {
	river.JobArgs
	fmt.Stringer
	of() runKey
	again(done int) stepArgs // with a chance more; nil if there is none
}

func (c *chance) take(done int) bool {
	if c.Chances >= maxChances || done <= c.Done {
		return false
	}
	c.Chances, c.Done = c.Chances+1, done
	return true
}

func (a listArgs) again(done int) stepArgs {
	if !a.take(done) {
		return nil
	}
	return a
}

func (a batchArgs) again(done int) stepArgs {
	if !a.take(done) {
		return nil
	}
	return a
}

func (a finishArgs) again(done int) stepArgs {
	if !a.take(done) {
		return nil
	}
	return a
}

// crashed does with a step what its processes' deaths ask for.
func (im *Importer) crashed(ctx context.Context, r *run, args stepArgs) error {
	if err := im.catchUp(ctx, r); err != nil {
		return err
	}
	r.mu.Lock()
	done := len(r.done) + int(r.imp.Events)
	r.mu.Unlock()
	if next := args.again(done); next != nil {
		im.Pipeline.Logger.Warn("an import's step gets another chance: its processes died again and again", "import", r.key.id, "step", args.String())
		return im.insert(ctx, r.key.id, next)
	}
	return im.broken(ctx, r, fmt.Errorf("%s: %d processes died one after the other while they worked it; the import is given up", args, maxCrashes))
}
