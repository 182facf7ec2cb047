package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"upnext"
)

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
