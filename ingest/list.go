package ingest

import (
	"context"
	"fmt"
	"time"
)

// list lists the source and makes a job of every batch.
func (im *Importer) list(ctx context.Context, r *run) error {
	began := time.Now()
	if err := im.save(ctx, r, true); err != nil {
		return err
	}
	r.mu.Lock()
	before := r.batches >= 0
	r.mu.Unlock()
	if before { // by a process that was killed right after
		return im.insert(ctx, r.key.id, finishArgs{Tenant: r.key.tenant, Import: r.key.id})
	}
	s, done, err := r.use(ctx, im)
	if err != nil {
		return err
	}
	defer done()
	next := batchArgs{Tenant: r.key.tenant, Import: r.key.id, Version: s.version()}
	var total int64
	flush := func() error {
		if len(next.Entries) == 0 {
			return nil
		}
		if err := im.enqueue(ctx, r, next); err != nil {
			return err
		}
		total += int64(len(next.Entries))
		next.Number, next.Entries = next.Number+1, nil
		r.mu.Lock()
		r.imp.Total = max(r.imp.Total, total)
		r.mu.Unlock()
		return im.save(ctx, r, false)
	}
	for e, err := range s.entries(ctx) {
		if err != nil {
			return fmt.Errorf("list %s: %w", r.imp.Source, err)
		}
		if next.Entries = append(next.Entries, e); len(next.Entries) == batchSize {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return im.listed(ctx, r, listing{Batches: next.Number, Total: total, Busy: time.Since(began)})
}

// enqueue makes a job of a batch, unless a former process has done it.
func (im *Importer) enqueue(ctx context.Context, r *run, a batchArgs) error {
	digest, err := a.digest()
	if err != nil {
		return err
	}
	r.mu.Lock()
	known := r.done[a.Number] == digest
	r.mu.Unlock()
	if known {
		return nil
	}
	return im.insert(ctx, a.Import, a)
}

// listed notes that all batches are queued, and queues the end.
func (im *Importer) listed(ctx context.Context, r *run, l listing) error {
	if err := im.keep(ctx, r.key.listing(), l); err != nil {
		return err
	}
	r.mu.Lock()
	r.listed(l)
	r.mu.Unlock()
	if err := im.save(ctx, r, true); err != nil {
		return err
	}
	return im.insert(ctx, r.key.id, finishArgs{Tenant: r.key.tenant, Import: r.key.id})
}
