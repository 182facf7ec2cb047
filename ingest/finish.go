package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"upnext"
)

// finish ends an import all of whose batches are done: it reconciles what has
// gone from the source, and brings in the events that came along.
func (im *Importer) finish(ctx context.Context, r *run) error {
	if err := im.catchUp(ctx, r); err != nil {
		return err
	}
	r.mu.Lock()
	complete, busy := r.complete(), r.ending
	r.ending = r.ending || complete
	r.mu.Unlock()
	if !complete {
		// The last batch queues another end; this one is for the case that it was killed before.
		return river.JobSnooze(2 * time.Second)
	}
	if busy {
		return nil
	}
	defer func() {
		r.mu.Lock()
		r.ending = false
		r.mu.Unlock()
	}()
	return im.alone(ctx, r, func() error {
		seen, unknown, err := im.recount(ctx, r)
		if err != nil {
			return err
		}
		if err := im.save(ctx, r, true); err != nil {
			return err
		}
		if err := im.reconcile(ctx, r, seen, unknown); err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
		if err := im.history(ctx, r); err != nil {
			return fmt.Errorf("events: %w", err)
		}
		return im.end(ctx, r, upnext.Succeeded, nil)
	})
}

// alone lets one process at a time end an import, and of a source one import:
// its history comes in once. Who is not the one leaves its job for later, in
// case the other dies, and does not hold a worker meanwhile.
func (im *Importer) alone(ctx context.Context, r *run, end func() error) error {
	select {
	case im.ends <- struct{}{}:
		defer func() { <-im.ends }()
	default:
		return river.JobSnooze(time.Second)
	}
	waiting, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unlock, err := im.Pipeline.lock(waiting, "end/%s/%s", r.key.tenant, r.imp.Source)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return river.JobSnooze(time.Second)
	}
	if err != nil {
		return err
	}
	defer unlock()
	if over, err := im.overElsewhere(ctx, r); over || err != nil {
		return err
	}
	r.mu.Lock()
	r.ender = true
	r.mu.Unlock()
	return end()
}

// reconcile finds the items that this source brought once and has no longer,
// and does with them what the import was asked to. Where something could not
// be read, it might be one of them: then nothing is hidden or deleted.
func (im *Importer) reconcile(ctx context.Context, r *run, seen map[upnext.ItemID]bool, unknown bool) error {
	if len(historyFiles[r.imp.Format]) > 0 {
		return nil // it has no items, and says nothing of those that are there
	}
	action := r.imp.OnMissing
	var missing int64
	for after := upnext.ItemID(""); ; {
		records, err := im.Pipeline.Catalog.List(ctx, r.key.tenant, r.imp.Source, after, 500)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			break
		}
		after = records[len(records)-1].Item.ID
		var gone []upnext.Record
		for _, rec := range records {
			if !seen[rec.Item.ID] {
				gone = append(gone, rec)
			}
		}
		missing += int64(len(gone))
		if action == upnext.KeepMissing || unknown || len(gone) == 0 {
			continue
		}
		if err := im.retire(ctx, r, action, gone); err != nil {
			return err
		}
	}
	r.mu.Lock()
	// A repeated end finds those it deleted gone already.
	r.imp.Missing = max(r.imp.Missing, missing)
	r.mu.Unlock()
	if missing > 0 && unknown && action != upnext.KeepMissing {
		err := im.Imports.AddFailures(ctx, r.key.tenant, r.key.id, upnext.Failure{
			Key: r.imp.Source, Stage: "reconcile", Cause: "skipped",
			Detail: fmt.Sprintf("%d items have gone from the source, or could not be read: none was touched (asked: %s)", missing, action)})
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.imp.Causes["skipped"] = 1 // what was asked was not done: also to be seen where only counts are
		r.mu.Unlock()
	}
	return im.save(ctx, r, true)
}

// retire hides or deletes items whose objects have gone.
func (im *Importer) retire(ctx context.Context, r *run, action upnext.OnMissing, gone []upnext.Record) error {
	if action == upnext.DeleteMissing {
		ids := make([]upnext.ItemID, len(gone))
		for i, rec := range gone {
			ids[i] = rec.Item.ID
		}
		_, err := im.Pipeline.Delete(ctx, r.key.tenant, ids...)
		return err
	}
	b := &batch{tenant: r.key.tenant, source: r.imp.Source, grow: true}
	for _, rec := range gone {
		rec.Item.Status = upnext.Hidden
		b.works = append(b.works, &work{item: rec.Item})
	}
	return im.Pipeline.put(ctx, b)
}
