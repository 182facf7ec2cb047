package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"upnext"
	"upnext/infra/jobs"
)

// The jobs of an import. Their JSON is in the database: fields are added, not changed.
type (
	listArgs struct {
		Tenant upnext.Tenant   `json:"tenant"`
		Import upnext.ImportID `json:"import"`
		chance
	}
	batchArgs struct {
		Tenant  upnext.Tenant   `json:"tenant"`
		Import  upnext.ImportID `json:"import"`
		Number  int             `json:"number"`
		Version string          `json:"version"` // of the source's files when it was listed
		Entries []entry         `json:"entries"`
		chance
	}
	finishArgs struct {
		Tenant upnext.Tenant   `json:"tenant"`
		Import upnext.ImportID `json:"import"`
		chance
	}
)

// Kind names the job in the queue.
func (listArgs) Kind() string { return "import_list" }

// Kind names the job in the queue.
func (batchArgs) Kind() string { return "import_batch" }

// Kind names the job in the queue.
func (finishArgs) Kind() string { return "import_finish" }

// digest names the entries of a batch.
func (a batchArgs) digest() (string, error) {
	data, err := json.Marshal([]any{a.Version, a.Entries})
	return fmt.Sprintf("%x", sha256.Sum256(data))[:16], err
}

func (a listArgs) of() runKey   { return runKey{a.Tenant, a.Import} }
func (a batchArgs) of() runKey  { return runKey{a.Tenant, a.Import} }
func (a finishArgs) of() runKey { return runKey{a.Tenant, a.Import} }

// String names the step for people.
func (listArgs) String() string { return "the listing" }

// String names the step for people.
func (finishArgs) String() string { return "the end" }

// String names the batch for people.
func (a batchArgs) String() string {
	if len(a.Entries) == 0 {
		return fmt.Sprintf("batch %d", a.Number)
	}
	first := a.Entries[0]
	return fmt.Sprintf("batch %d, %d items from %s:%d on", a.Number, len(a.Entries), first.place(), first.Line)
}

// The workers of River.
type (
	listWorker struct {
		river.WorkerDefaults[listArgs]
		im *Importer
	}
	batchWorker struct {
		river.WorkerDefaults[batchArgs]
		im *Importer
	}
	finishWorker struct {
		river.WorkerDefaults[finishArgs]
		im *Importer
	}
)

func (w *listWorker) Work(ctx context.Context, job *river.Job[listArgs]) error {
	return w.im.work(ctx, job.JobRow, job.Args, w.im.list)
}

func (w *batchWorker) Work(ctx context.Context, job *river.Job[batchArgs]) error {
	return w.im.work(ctx, job.JobRow, job.Args, func(ctx context.Context, r *run) error {
		return w.im.batch(ctx, r, job.Args)
	})
}

func (w *finishWorker) Work(ctx context.Context, job *river.Job[finishArgs]) error {
	return w.im.work(ctx, job.JobRow, job.Args, w.im.finish)
}

// insert adds a job that a cancellation of the import finds.
func (im *Importer) insert(ctx context.Context, id upnext.ImportID, args river.JobArgs) error {
	_, err := im.Queue.Insert(ctx, args, &river.InsertOpts{Tags: []string{string(id)}, MaxAttempts: im.Attempts})
	return err
}

// work does one step of an import. What may pass is tried again, later; what
// will not, or not soon, ends the import with its cause.
func (im *Importer) work(ctx context.Context, job *rivertype.JobRow, args stepArgs, step func(context.Context, *run) error) error {
	id := args.of().id
	r, err := im.open(ctx, args.of().tenant, id)
	if errors.Is(err, errEnded) && job.Kind == (finishArgs{}).Kind() {
		im.forget(ctx, args.of()) // the process may have been killed right before
	}
	if errors.Is(err, errEnded) || errors.Is(err, upnext.ErrNotFound) {
		return nil
	}
	if err == nil && jobs.Crashes(job) >= maxCrashes {
		if err = im.crashed(ctx, r, args); err == nil {
			return nil
		}
	}
	if err != nil && job.Attempt >= job.MaxAttempts {
		im.Pipeline.Logger.Error("an import's step cannot begin", "import", id, "step", args.String(), "error", err)
		return river.JobSnooze(maxBackoff) // the queue would drop it, and the import never end
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.ctx, cancel)()
	err = step(ctx, r)
	if r.ctx.Err() != nil || ctx.Err() != nil && im.cancelled(ctx, r) {
		im.forget(context.WithoutCancel(ctx), r.key) // what was kept since whoever ended it did that
		return nil
	}
	var snooze *rivertype.JobSnoozeError
	switch {
	case err == nil || errors.Is(err, errEnded):
		return nil
	case errors.As(err, &snooze):
		return err
	case ctx.Err() != nil:
		// The process stops. Later, without a wait, and without counting as an attempt.
		return river.JobSnooze(0)
	case errors.Is(err, errAbsent) && im.Queue.Shared():
		return im.absent(ctx, r, err)
	case errors.Is(err, upnext.ErrInvalid), errors.Is(err, upnext.ErrConflict), errors.Is(err, upnext.ErrNotFound),
		job.Attempt >= job.MaxAttempts && !errors.Is(err, errEndpoint):
		return im.broken(ctx, r, err)
	}
	wait := im.trouble(ctx, r, err)
	im.Pipeline.Logger.Warn("an import's step is tried again", "import", id, "step", job.Kind, "attempt", job.Attempt, "error", err)
	if errors.Is(err, errEndpoint) {
		return river.JobSnooze(wait) // however long it is away: no attempt is counted
	}
	return err
}

// broken ends an import that cannot go on.
func (im *Importer) broken(ctx context.Context, r *run, cause error) error {
	if err := im.end(ctx, r, upnext.Broken, cause); err != nil && !errors.Is(err, errEnded) {
		// Not even that can be written: a disk is full. The job stays for when it is not.
		im.Pipeline.Logger.Error("a failed import cannot be ended", "import", r.key.id, "error", err)
		return river.JobSnooze(maxBackoff)
	}
	return nil
}

// cancelled says whether a job whose context has ended is to do with its
// import's end in another process, and not with this process's.
func (im *Importer) cancelled(ctx context.Context, r *run) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	over, err := im.overElsewhere(ctx, r)
	return over && err == nil // where that cannot be read the job comes back, and asks again
}

// absentFor is how long a folder may be on no machine that works the import.
const absentFor = 3 * time.Minute

// absent leaves a step to a process whose machine has the folder of the source.
// Where none has, nothing is done in a while, and the import cannot go on.
func (im *Importer) absent(ctx context.Context, r *run, cause error) error {
	if err := im.catchUp(ctx, r); err != nil {
		im.Pipeline.Logger.Warn("what other processes do for an import cannot be seen", "import", r.key.id, "error", err)
		return river.JobSnooze(maxBackoff)
	}
	r.mu.Lock()
	if r.absent.IsZero() {
		r.absent = im.Pipeline.Now()
	}
	since := im.Pipeline.Now().Sub(r.absent)
	r.mu.Unlock()
	if since >= absentFor {
		return im.broken(ctx, r, fmt.Errorf("no process has had the source for %v: %w", absentFor, cause))
	}
	return river.JobSnooze(time.Second)
}

// trouble shows in the import why it does not go on, where that can be
// written, and returns how long to wait for an endpoint: ever longer.
func (im *Importer) trouble(ctx context.Context, r *run, cause error) time.Duration {
	r.mu.Lock()
	r.imp.Error = cause.Error()
	r.troubles++
	wait := min(maxBackoff, time.Second<<min(r.troubles-1, 10))
	r.mu.Unlock()
	err := im.locked(ctx, r, func(ctx context.Context, stored upnext.Import) error {
		stored.Error = cause.Error() // the counts stay: the object store may be what is away
		return im.Imports.SaveImport(ctx, r.key.tenant, stored)
	})
	if err == nil {
		im.announce()
	} else if !errors.Is(err, errEnded) {
		im.Pipeline.Logger.Warn("an import's trouble cannot be shown", "import", r.key.id, "error", err)
	}
	return wait
}
