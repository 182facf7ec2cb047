package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"upnext"
)

// run is an import that has not ended, as far as this process knows. What the
// import has come to is the outcomes in the object store, which other processes
// add to as well: see catchUp.
type run struct {
	key    runKey
	ctx    context.Context // ends with the import
	cancel context.CancelFunc

	opening sync.Mutex
	source  *source
	users   int  // of the source; it closes when the last has let go after the end
	over    bool // the import has ended: nothing opens it any more

	mu       sync.Mutex
	imp      upnext.Import
	done     map[int]string // digest of the batches that are done, by number, in whatever process
	low      int            // all below are done
	working  map[int]bool   // in this process
	batches  int            // how many there are; -1 until all are listed
	ending   bool           // in this process, now
	ender    bool           // this process was the last here to hold the import's end
	moved    bool           // something was done since the import was saved
	saved    time.Time
	absent   time.Time // since when a folder is not on this machine, and nothing was done elsewhere
	troubles int       // since a batch was done last
	letters  int64     // dead letters written by this process
}

// errEnded says that an import has ended: its jobs have nothing to do.
var errEnded = errors.New("the import has ended")

func (k runKey) prefix() string { return prefixOf(k.tenant) + "imports/" + string(k.id) + "/" }

func (k runKey) batch(n int) string { return fmt.Sprintf("%sbatch/%09d.json", k.prefix(), n) }

func (k runKey) listing() string { return k.prefix() + "listed.json" }

// open returns the run of an import, from what other processes have kept of it
// where it is new to this one; errEnded for one that has ended, here or elsewhere.
func (im *Importer) open(ctx context.Context, t upnext.Tenant, id upnext.ImportID) (*run, error) {
	key := runKey{t, id}
	im.mu.Lock()
	r, known := im.runs[key]
	im.mu.Unlock()
	if known {
		if over, err := im.overElsewhere(ctx, r); err != nil || !over {
			return r, err
		}
		return nil, errEnded
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	if r, known := im.runs[key]; known {
		return r, nil
	}
	// Read while nothing can end here: the run of an import that has ended stays away.
	imp, err := im.Imports.Import(ctx, t, id)
	if err != nil {
		return nil, err
	}
	if ended(imp.State) {
		return nil, errEnded
	}
	r = &run{key: key, imp: imp, done: map[int]string{}, working: map[int]bool{}, batches: -1}
	r.zero()
	if r.imp.State = upnext.Running; r.imp.StartedAt.IsZero() {
		r.imp.StartedAt = im.Pipeline.Now()
	}
	if err := im.catchUp(ctx, r); err != nil {
		return nil, err
	}
	r.imp.Error = imp.Error // why it waits, if it does
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	im.runs[key] = r
	return r, nil
}

// announce wakes those who wait for a change.
func (im *Importer) announce() {
	im.mu.Lock()
	defer im.mu.Unlock()
	close(im.changed)
	im.changed = make(chan struct{})
}

// use opens the import's source, once, and keeps it open until done is called
// by all who use it and the import has ended.
func (r *run) use(ctx context.Context, im *Importer) (s *source, done func(), err error) {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.over {
		return nil, nil, errEnded
	}
	if r.source == nil {
		if r.source, err = im.openSource(ctx, r.key.tenant, r.imp.Source, r.imp.Format); err != nil {
			return nil, nil, err
		}
	}
	r.users++
	return r.source, r.release, nil
}

func (r *run) release() {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.users--; r.users == 0 && r.over {
		_ = r.source.close() // a folder that was only read
		r.source = nil
	}
}

func (r *run) closeSource() {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.over = true; r.users == 0 && r.source != nil {
		_ = r.source.close() // a folder that was only read
		r.source = nil
	}
}
