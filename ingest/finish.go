package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
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

// How the events of a history are written, and how often the way so far is kept.
const (
	eventsAtOnce = 1000
	eventsKept   = 20_000
)

// past is how far the events of a source have come in.
type past struct {
	Version string // of the file of ratings
	Lines   int    // that are in
	Events  int64
	Failed  int64
	Whole   bool
}

// history brings in the ratings of a MovieLens folder. Lines that an earlier
// import, or a former process, brought in are not brought again.
func (im *Importer) history(ctx context.Context, r *run) error {
	if r.imp.Format != MovieLens {
		return nil
	}
	began := time.Now()
	s, done, err := r.use(ctx, im)
	if err != nil {
		return err
	}
	defer done()
	h, err := findHistory(ctx, s.files)
	if errors.Is(err, upnext.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := s.files.Stat(ctx, h.key)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%simports/history-%x.json", prefixOf(r.key.tenant), sha256.Sum256([]byte(r.imp.Source)))
	var p past
	if _, err := im.load(ctx, key, &p); err != nil {
		return err
	}
	if p.Version != info.ETag {
		p = past{Version: info.ETag}
	}
	r.mu.Lock()
	r.imp.Failed += p.Failed // what an earlier import could not read, this one cannot either
	if p.Failed > 0 {
		r.imp.Causes["syntax"] += p.Failed
	}
	r.mu.Unlock()
	if !p.Whole {
		err = im.remember(ctx, r, h, key, &p)
	}
	r.mu.Lock()
	r.imp.Events = p.Events
	r.stage(upnext.Stage{Name: "events", Done: p.Events, Failed: p.Failed, Busy: time.Since(began)})
	r.mu.Unlock()
	return errors.Join(err, im.save(ctx, r, true))
}

// remember appends the events of the lines that are not in yet.
func (im *Importer) remember(ctx context.Context, r *run, h *history, key string, p *past) error {
	newest, err := h.newest(ctx)
	if err != nil {
		return err
	}
	c := clock{now: r.imp.QueuedAt, newest: newest}
	var events []upnext.Event
	var letters []upnext.Failure
	kept, line := p.Lines, p.Lines
	flush := func(whole bool) error {
		if len(events) > 0 {
			if _, err := im.Events.Append(ctx, r.key.tenant, events...); err != nil {
				return err
			}
		}
		if err := im.bury(ctx, r, letters); err != nil {
			return err
		}
		p.Lines, p.Events, p.Failed = line, p.Events+int64(len(events)), p.Failed+int64(len(letters))
		events, letters = events[:0], letters[:0]
		r.mu.Lock()
		r.imp.Events = p.Events
		r.mu.Unlock()
		if p.Whole = whole; whole || p.Lines-kept >= eventsKept {
			kept = p.Lines
			if err := im.keep(ctx, key, p); err != nil {
				return err
			}
		}
		return im.save(ctx, r, false)
	}
	for rating, err := range h.ratings(ctx) {
		if err != nil {
			return err
		}
		if rating.line <= p.Lines {
			continue
		}
		line = rating.line
		e := c.event(rating)
		if rating.problem == "" {
			if err := e.Validate(im.Pipeline.Now()); err != nil {
				rating.problem = err.Error()
			}
		}
		if rating.problem != "" {
			letters = append(letters, upnext.Failure{Key: h.key, Line: line, Item: clip(e.Item), Stage: "events", Cause: "syntax", Detail: clip(rating.problem)})
		} else {
			e.ReceivedAt = im.Pipeline.Now()
			events = append(events, e)
		}
		if len(events)+len(letters) >= eventsAtOnce {
			if err := flush(false); err != nil {
				return err
			}
		}
	}
	err = flush(true)
	if im.Pipeline.OnChange != nil {
		im.Pipeline.OnChange(r.key.tenant)
	}
	return err
}

// bury writes dead letters while there is room, and counts their causes.
func (im *Importer) bury(ctx context.Context, r *run, letters []upnext.Failure) error {
	if len(letters) == 0 {
		return nil
	}
	r.mu.Lock()
	room := min(int64(len(letters)), max(0, maxLetters-r.letters))
	r.letters += room
	r.imp.Failed += int64(len(letters))
	for _, l := range letters {
		r.imp.Causes[l.Cause]++
	}
	r.mu.Unlock()
	return im.Imports.AddFailures(ctx, r.key.tenant, r.key.id, letters[:room]...)
}
