package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/infra/blob"
	"upnext/infra/jobs"
)

// ImporterConfig is what an Importer works with; Pipeline, Imports, Events and
// Queue are needed.
type ImporterConfig struct {
	Pipeline *Pipeline
	Imports  upnext.Imports
	Events   upnext.Events  // where histories go
	Viewers  upnext.Viewers // where the format Viewers goes; nil refuses it
	Queue    *jobs.Queue    // not started: Run starts it
	Workers  int            // batches worked on at once; 0 is one a processor
	NoFiles  bool           // refuse sources on this machine's disk

	// Buckets opens the whole of a bucket whose key a tenant names as a source; it
	// refuses what is not open to that tenant with an ErrInvalid. nil: sources in
	// buckets are refused.
	Buckets func(ctx context.Context, t upnext.Tenant, bucket, key string) (blob.Store, error)

	Attempts int // of a step while an engine is away, before the import fails; 0 is 8, some four minutes
}

// Importer brings whole sources in, as jobs that survive the process: one
// lists the source, one for each batch of items takes it through the Pipeline,
// one reconciles and ends. A process that was killed repeats at most the
// batches that it was at, and of those only the items not yet searchable.
// Where the Queue is shared, the processes that work it share each import's
// batches; the Pipeline's Locks must be theirs in common. A source on disk is
// worked by those who have it: the same path must be the same folder
// everywhere. It is safe for concurrent use.
type Importer struct {
	ImporterConfig

	mu      sync.Mutex
	runs    map[runKey]*run
	changed chan struct{} // closed, and made anew, at each change of an import's state here

	ends chan struct{} // held by imports that are being ended: each holds a lock, whose connections are few
}

type runKey struct {
	tenant upnext.Tenant
	id     upnext.ImportID
}

// NewImporter returns an Importer, whose jobs Run works on. The Queue must not
// have been started.
func NewImporter(c ImporterConfig) (*Importer, error) {
	if c.Pipeline == nil || c.Imports == nil || c.Events == nil || c.Queue == nil {
		return nil, fmt.Errorf("importer: a part is missing: %w", upnext.ErrInvalid)
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Attempts <= 0 {
		c.Attempts = 8
	}
	im := &Importer{ImporterConfig: c, runs: map[runKey]*run{}, changed: make(chan struct{}), ends: make(chan struct{}, 2)}
	jobs.Register(c.Queue, &listWorker{im: im})
	jobs.Register(c.Queue, &batchWorker{im: im})
	jobs.Register(c.Queue, &finishWorker{im: im})
	return im, nil
}

// maxBackoff is how long two attempts lie apart at most.
const maxBackoff = time.Minute

// Run works on imports until ctx ends, then lets what is running come to rest.
func (im *Importer) Run(ctx context.Context) error {
	// One more than there are workers: listing waits for the source, not for a processor.
	s := jobs.Settings{Workers: im.Workers + 1, MaxAttempts: im.Attempts, MaxBackoff: maxBackoff}
	if err := im.Queue.Start(ctx, s); err != nil {
		return fmt.Errorf("run imports: %w", err)
	}
	<-ctx.Done()
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := im.Queue.Stop(rest); err != nil {
		return fmt.Errorf("run imports: %w", err)
	}
	return nil
}

// ImportRequest asks for an import.
type ImportRequest struct {
	// Source is s3://BUCKET/PREFIX, file:///folder, a path, or blob:KEY in the
	// object store, where a tenant's keys begin with "TENANT/". It is a folder, or
	// one manifest.
	Source    string
	Format    string           // of Formats; empty is Auto
	OnMissing upnext.OnMissing // empty is KeepMissing
}

// Start queues an import and returns it. A source that is not there, or holds
// nothing of the format, is an ErrInvalid at once.
func (im *Importer) Start(ctx context.Context, t upnext.Tenant, req ImportRequest) (upnext.Import, error) {
	imp := upnext.Import{Format: cmp.Or(req.Format, Auto), OnMissing: cmp.Or(req.OnMissing, upnext.KeepMissing), State: upnext.Queued, QueuedAt: im.Pipeline.Now()}
	if !slices.Contains([]upnext.OnMissing{upnext.KeepMissing, upnext.HideMissing, upnext.DeleteMissing}, imp.OnMissing) {
		return upnext.Import{}, fmt.Errorf("start import: on_missing: %q is none of keep, hide, delete: %w", req.OnMissing, upnext.ErrInvalid)
	}
	p, err := parseSource(t, req.Source)
	if err == nil && p.dir != "" && im.NoFiles {
		err = fmt.Errorf("source %s: files of this machine are not open to imports: %w", req.Source, upnext.ErrInvalid)
	}
	if err != nil {
		return upnext.Import{}, fmt.Errorf("start import: %w", err)
	}
	if p.bucket != "" {
		// One place has one name, or its items would count as gone from the other.
		if p, _, err = im.locate(ctx, t, p); err != nil {
			return upnext.Import{}, fmt.Errorf("start import: source %s: %w", req.Source, err)
		}
	}
	imp.Source = p.clean
	if imp.Format == Viewers && im.Viewers == nil {
		return upnext.Import{}, fmt.Errorf("start import: format %s: viewers are not kept here: %w", Viewers, upnext.ErrInvalid)
	}
	s, err := im.openSource(ctx, t, imp.Source, imp.Format)
	if err == nil {
		imp.Format = s.format
		err = s.close()
	}
	if err != nil {
		return upnext.Import{}, fmt.Errorf("start import: %w", err)
	}
	imp.ID = upnext.ImportID("imp_" + ulid.MustNew(ulid.Timestamp(imp.QueuedAt), rand.Reader).String())
	if err := im.Imports.SaveImport(ctx, t, imp); err != nil {
		return upnext.Import{}, fmt.Errorf("start import of %s: %w", imp.Source, err)
	}
	if err := im.insert(ctx, imp.ID, listArgs{Tenant: t, Import: imp.ID}); err != nil {
		imp.State, imp.Error, imp.EndedAt = upnext.Broken, err.Error(), im.Pipeline.Now()
		return upnext.Import{}, fmt.Errorf("start import of %s: %w", imp.Source, errors.Join(err, im.Imports.SaveImport(ctx, t, imp)))
	}
	return imp, nil
}

// Cancel ends an import where it stands; the items that came in stay. One that
// has ended otherwise is an ErrConflict.
func (im *Importer) Cancel(ctx context.Context, t upnext.Tenant, id upnext.ImportID) (upnext.Import, error) {
	r, err := im.open(ctx, t, id)
	if err == nil {
		err = im.end(ctx, r, upnext.Cancelled, nil)
	}
	if errors.Is(err, errEnded) {
		imp, err := im.Imports.Import(ctx, t, id)
		if err == nil && imp.State != upnext.Cancelled {
			err = fmt.Errorf("cancel import %s: it has %s: %w", id, imp.State, upnext.ErrConflict)
		}
		return imp, err
	}
	if err != nil {
		return upnext.Import{}, fmt.Errorf("cancel import %s: %w", id, err)
	}
	if _, err := im.Queue.CancelTagged(ctx, string(id)); err != nil {
		// Its jobs find the import cancelled and end by themselves.
		im.Pipeline.Logger.Warn("jobs of a cancelled import stay queued", "import", id, "error", err)
	}
	return im.Imports.Import(ctx, t, id)
}

// waitEvery is how often Wait looks for what other processes do.
const waitEvery = 200 * time.Millisecond

// Wait returns the import when it has ended, in whatever process, or with an
// error when ctx ends.
func (im *Importer) Wait(ctx context.Context, t upnext.Tenant, id upnext.ImportID) (upnext.Import, error) {
	look := time.NewTicker(waitEvery)
	defer look.Stop()
	for {
		im.mu.Lock()
		changed := im.changed
		im.mu.Unlock()
		imp, err := im.Imports.Import(ctx, t, id)
		if err != nil {
			return imp, fmt.Errorf("wait for import %s: %w", id, err)
		}
		im.mu.Lock()
		r := im.runs[runKey{t, id}]
		im.mu.Unlock()
		if ended(imp.State) {
			if r == nil {
				return imp, nil
			}
			im.leave(r, imp.State) // unless it ended here, and is still putting things away
		}
		select {
		case <-ctx.Done():
			return imp, fmt.Errorf("wait for import %s: %w", id, ctx.Err())
		case <-changed:
		case <-look.C:
		}
	}
}

func ended(s upnext.ImportState) bool {
	return s == upnext.Succeeded || s == upnext.Cancelled || s == upnext.Broken
}
