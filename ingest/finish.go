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
	if err := im.reconcile(ctx, r); err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if err := im.history(ctx, r); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	return im.end(ctx, r, upnext.Succeeded, nil)
}

// reconcile finds the items that this source brought once and has no longer,
// and does with them what the import was asked to. Where something could not
// be read, it might be one of them: then nothing is hidden or deleted.
func (im *Importer) reconcile(ctx context.Context, r *run) error {
	if len(historyFiles[r.imp.Format]) > 0 {
		return nil // it has no items, and says nothing of those that are there
	}
	seen := map[upnext.ItemID]bool{}
	unknown := false
	var err error
	for _, o := range im.outcomes(ctx, r.key, &err) {
		for _, id := range o.IDs {
			seen[id] = true
		}
		unknown = unknown || o.Unknown
	}
	if err != nil {
		return err
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
