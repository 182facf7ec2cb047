package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"upnext"
)

// saveEvery is how often progress is written while nothing else happens.
const saveEvery = 300 * time.Millisecond

// rowPatience is how long an import's row is waited for and held at most.
const rowPatience = 30 * time.Second

// locked does something with the stored import that no other process changes
// meanwhile; errEnded, and the end of the run here, where it has ended.
func (im *Importer) locked(ctx context.Context, r *run, do func(ctx context.Context, stored upnext.Import) error) error {
	ctx, cancel := context.WithTimeout(ctx, rowPatience)
	defer cancel()
	unlock, err := im.Pipeline.lock(ctx, "import/%s/%s", r.key.tenant, r.key.id)
	if err != nil {
		return err
	}
	defer unlock()
	stored, err := im.Imports.Import(ctx, r.key.tenant, r.key.id)
	if err != nil {
		return err
	}
	if ended(stored.State) {
		im.leave(r, stored.State)
		return errEnded
	}
	return do(ctx, stored)
}

// save writes the import as it stands over all processes, unless it was just
// written. Each process adds the others' outcomes before, so that what is read
// never goes back. Once all is done, only who ends the import writes it.
func (im *Importer) save(ctx context.Context, r *run, now bool) error {
	r.mu.Lock()
	skip := !now && time.Since(r.saved) < saveEvery || ended(r.imp.State)
	if !skip {
		r.saved = time.Now()
	}
	r.mu.Unlock()
	if skip {
		return nil
	}
	err := im.locked(ctx, r, func(ctx context.Context, stored upnext.Import) error {
		if err := im.catchUp(ctx, r); err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.complete() && !r.ender {
			return nil
		}
		r.merge(stored)
		r.moved = false
		return im.Imports.SaveImport(ctx, r.key.tenant, r.snapshot())
	})
	if err != nil {
		return fmt.Errorf("save import: %w", err)
	}
	im.announce()
	return nil
}

// merge takes over what only others may know of. r.mu is held.
func (r *run) merge(stored upnext.Import) {
	imp := &r.imp
	if r.batches < 0 {
		imp.Total = max(imp.Total, stored.Total)
	}
	if !stored.StartedAt.IsZero() {
		imp.StartedAt = stored.StartedAt
	}
	if imp.Error == "" && !r.moved {
		imp.Error = stored.Error // another process waits, and none has gone on since
	}
	imp.Missing = max(imp.Missing, stored.Missing)
	if !r.ender {
		imp.Events = stored.Events
	}
}

// snapshot is the import as a value of its own. r.mu is held.
func (r *run) snapshot() upnext.Import {
	imp := r.imp
	imp.Stages, imp.Causes = slices.Clone(imp.Stages), maps.Clone(imp.Causes)
	return imp
}

// end ends an import, once over all processes: the second finds errEnded. cause
// says why it is Broken.
func (im *Importer) end(ctx context.Context, r *run, state upnext.ImportState, cause error) error {
	// Whoever cancelled the job that found the import's end still wants it known.
	ctx = context.WithoutCancel(ctx)
	var imp upnext.Import
	err := im.locked(ctx, r, func(ctx context.Context, stored upnext.Import) error {
		behind := im.catchUp(ctx, r)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.merge(stored)
		imp = r.snapshot()
		switch {
		case behind != nil: // the objects are away, and may be why it ends
			im.Pipeline.Logger.Warn("an import ends without its last counts", "import", r.key.id, "error", behind)
			imp = stored
		case !r.ender && (stored.Events > 0 || stored.Failed > imp.Failed): // another process brings its history in
			imp = stored
		}
		imp.State, imp.EndedAt = state, im.Pipeline.Now()
		if cause != nil {
			imp.Error = cause.Error()
		}
		err := im.Imports.SaveImport(ctx, r.key.tenant, imp)
		if err == nil {
			r.imp.State, r.imp.EndedAt, r.imp.Error = imp.State, imp.EndedAt, imp.Error
		}
		return err
	})
	if err != nil {
		return err
	}
	r.cancel()
	r.closeSource()
	im.Pipeline.Logger.Info("import ended", "import", r.key.id, "source", imp.Source, "state", state, "items", imp.Total,
		"created", imp.Created, "updated", imp.Updated, "unchanged", imp.Unchanged, "failed", imp.Failed, "error", imp.Error)
	im.forget(ctx, r.key)
	im.drop(r)
	return nil
}

// overElsewhere says whether the import has ended, and ends the run here with it.
func (im *Importer) overElsewhere(ctx context.Context, r *run) (bool, error) {
	stored, err := im.Imports.Import(ctx, r.key.tenant, r.key.id)
	if err != nil || !ended(stored.State) {
		return false, err
	}
	im.leave(r, stored.State)
	return true, nil
}

// leave ends the run of an import that another process has ended.
func (im *Importer) leave(r *run, state upnext.ImportState) {
	r.mu.Lock()
	here := ended(r.imp.State) // and is being put away
	r.imp.State = state
	r.mu.Unlock()
	if here {
		return
	}
	r.cancel()
	r.closeSource()
	im.drop(r)
}

// drop forgets a run, and wakes those who wait for its end.
func (im *Importer) drop(r *run) {
	im.mu.Lock()
	if im.runs[r.key] == r {
		delete(im.runs, r.key)
	}
	im.mu.Unlock()
	im.announce()
}
