package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"upnext"
	"upnext/ingest/itemjson"
)

// history is one file of what happened, or of what is known of viewers.
type history interface {
	// key names the file in its source.
	key() string

	// lines yields what stands behind a line, in an order that stays. A line
	// that cannot be read has its problem; an error ends.
	lines(ctx context.Context, after int) iter.Seq2[told, error]
}

// told is one line of a history: an event, a viewer, or why there is neither.
type told struct {
	line    int // from 1; of Parquet, the row
	size    int // about, in bytes
	event   upnext.Event
	viewer  *upnext.Viewer // instead of the event
	problem string
	cause   string // of the problem
}

// How the lines of a history are written, and how often the way so far is kept.
// More at once is faster, and lets who posts events meanwhile wait longer.
const (
	linesAtOnce = 4000
	bytesAtOnce = 16 << 20
	linesKept   = 20_000
)

// past is how far a history has come in.
type past struct {
	Version string // of its file
	Lines   int    // that are in
	Events  int64  // or viewers
	Failed  int64
	Causes  map[string]int64
	Whole   bool
}

// history brings in the histories of a source. Lines that an earlier import,
// or a former process, brought in are not brought again.
func (im *Importer) history(ctx context.Context, r *run) error {
	if r.imp.Format != MovieLens && len(historyFiles[r.imp.Format]) == 0 {
		return nil
	}
	s, done, err := r.use(ctx, im)
	if err != nil {
		return err
	}
	defer done()
	if s.format == Viewers {
		if s.people, err = im.Pipeline.Schemas.Schema(ctx, r.key.tenant, "users"); err != nil {
			return err
		}
	}
	c := &chronicle{Importer: im, run: r, source: s, causes: map[string]int64{}}
	r.mu.Lock()
	r.imp.Events = 0 // what a former process had saved is counted anew
	r.mu.Unlock()
	for h, err := range s.histories(ctx, r.imp.QueuedAt) {
		if err == nil {
			err = c.file(ctx, h)
		}
		if err != nil {
			c.undo()
			return err
		}
	}
	if im.Pipeline.OnChange != nil {
		im.Pipeline.OnChange(r.key.tenant)
	}
	return im.save(ctx, r, true)
}

// histories yields the files of what happened.
func (s *source) histories(ctx context.Context, now time.Time) iter.Seq2[history, error] {
	if s.format != MovieLens {
		return s.pastFiles(ctx)
	}
	return func(yield func(history, error) bool) {
		if h, err := findRatings(ctx, s.files, now); !errors.Is(err, upnext.ErrNotFound) {
			yield(h, err)
		}
	}
}

// chronicle brings a source's histories in, one file after the other, and
// counts them into the import.
type chronicle struct {
	*Importer
	run    *run
	source *source

	events, failed int64 // counted into the import by this attempt
	causes         map[string]int64
	busy           time.Duration
}

// count adds to the import. An attempt that fails takes it back with undo.
func (c *chronicle) count(events int64, causes map[string]int64, busy time.Duration) {
	var failed int64
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	for cause, n := range causes {
		failed += n
		c.causes[cause] += n
		if c.run.imp.Causes[cause] += n; c.run.imp.Causes[cause] == 0 {
			delete(c.run.imp.Causes, cause)
		}
	}
	c.events, c.failed, c.busy = c.events+events, c.failed+failed, c.busy+busy
	c.run.imp.Events += events
	c.run.imp.Failed += failed
	c.run.stage(upnext.Stage{Name: "events", Done: events, Failed: failed, Busy: busy})
}

// undo takes back what this attempt has counted: the next one counts anew.
func (c *chronicle) undo() {
	back := map[string]int64{}
	for cause, n := range c.causes {
		back[cause] = -n
	}
	c.count(-c.events, back, -c.busy)
}

// file brings in one file, from where an earlier import or process was.
func (c *chronicle) file(ctx context.Context, h history) error {
	info, err := c.source.files.Stat(ctx, h.key())
	if err != nil {
		return err
	}
	p := past{}
	key := c.position(h)
	if _, err := c.load(ctx, key, &p); err != nil {
		return err
	}
	if p.Version != info.ETag {
		p = past{Version: info.ETag}
	}
	if n := p.Failed; n > 0 && len(p.Causes) == 0 { // written before causes were
		p.Causes = map[string]int64{"syntax": n}
	}
	if p.Causes == nil {
		p.Causes = map[string]int64{}
	}
	c.count(p.Events, p.Causes, 0)
	if p.Whole {
		return nil
	}
	return c.remember(ctx, h, key, &p)
}

// position is the key under which it is kept how far a file has come in.
func (c *chronicle) position(h history) string {
	name := c.run.imp.Source
	if c.source.format != MovieLens {
		name += "\n" + c.source.format + "\n" + h.key()
	}
	return fmt.Sprintf("%simports/history-%x.json", prefixOf(c.run.key.tenant), sha256.Sum256([]byte(name)))
}

// remember brings in the lines that are not in yet. The next ones are read
// while these are written.
func (c *chronicle) remember(ctx context.Context, h history, key string, p *past) error {
	kept := p.Lines
	for lines, err := range together(ctx, h.lines(ctx, p.Lines)) {
		if err != nil {
			return err
		}
		if err := c.take(ctx, h, lines, p); err != nil {
			return err
		}
		if p.Lines-kept >= linesKept {
			kept = p.Lines
			if err := c.keep(ctx, key, p); err != nil {
				return err
			}
		}
		if err := c.save(ctx, c.run, false); err != nil {
			return err
		}
	}
	p.Whole = true
	return c.keep(ctx, key, p)
}

// together yields lines in groups. One group is read ahead.
func together(ctx context.Context, lines iter.Seq2[told, error]) iter.Seq2[[]told, error] {
	type group struct {
		lines []told
		err   error
	}
	return func(yield func([]told, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		groups := make(chan group)
		send := func(g group) bool {
			select {
			case groups <- g:
				return true
			case <-ctx.Done():
				return false
			}
		}
		var reading sync.WaitGroup
		defer reading.Wait()
		defer cancel()
		reading.Go(func() {
			defer close(groups)
			var next group
			size := 0
			for t, err := range lines {
				if err != nil {
					if len(next.lines) == 0 || send(next) {
						send(group{err: err})
					}
					return
				}
				next.lines, size = append(next.lines, t), size+t.size
				if len(next.lines) >= linesAtOnce || size >= bytesAtOnce {
					if !send(next) {
						return
					}
					next, size = group{lines: make([]told, 0, len(next.lines))}, 0
				}
			}
			if len(next.lines) > 0 {
				send(next)
			}
		})
		for g := range groups {
			if !yield(g.lines, g.err) || g.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// take writes a group of lines, and dead letters of those that cannot be.
func (c *chronicle) take(ctx context.Context, h history, lines []told, p *past) error {
	began, now := time.Now(), c.Pipeline.Now()
	var good []told
	var letters []upnext.Failure
	for _, t := range lines {
		if t.viewer == nil && t.problem == "" {
			if err := t.event.Validate(now); err != nil {
				t.problem, t.cause = err.Error(), "invalid"
			}
		}
		if t.problem != "" {
			letters = append(letters, upnext.Failure{Key: h.key(), Line: t.line, Item: clip(t.event.Item), Stage: "events", Cause: t.cause, Detail: clip(t.problem)})
			continue
		}
		t.event.ReceivedAt = now
		good = append(good, t)
	}
	if err := c.accept(ctx, good); err != nil {
		return err
	}
	causes, err := c.bury(ctx, letters)
	if err != nil {
		return err
	}
	p.Lines, p.Events, p.Failed = lines[len(lines)-1].line, p.Events+int64(len(good)), p.Failed+int64(len(letters))
	for cause, n := range causes {
		p.Causes[cause] += n
	}
	c.count(int64(len(good)), causes, time.Since(began))
	return nil
}

// accept writes events, and viewers.
func (c *chronicle) accept(ctx context.Context, good []told) error {
	if len(good) == 0 {
		return nil
	}
	if c.source.format == Viewers {
		return c.describe(ctx, good)
	}
	events := make([]upnext.Event, len(good))
	for i, t := range good {
		events[i] = t.event
	}
	_, err := c.Events.Append(ctx, c.run.key.tenant, events...)
	return err
}

// describe writes viewers. As with items, attributes that the tenant's schema
// does not have are added to it.
func (c *chronicle) describe(ctx context.Context, good []told) error {
	t := c.run.key.tenant
	schema, err := c.Pipeline.Schemas.Schema(ctx, t, "users")
	if err != nil {
		return err
	}
	grown := false
	for _, g := range good {
		longer, more := itemjson.Extend(schema, g.viewer.Attributes)
		schema, grown = longer, grown || more
	}
	if grown {
		if err := c.Pipeline.Schemas.PutSchema(ctx, t, "users", schema); err != nil {
			return err
		}
	}
	for _, g := range good {
		v := *g.viewer
		if v.UpdatedAt.IsZero() {
			v.UpdatedAt = c.Pipeline.Now()
		}
		if _, err := c.Viewers.PutViewer(ctx, t, v); err != nil {
			return err
		}
	}
	return nil
}

// bury writes dead letters while there is room, and counts their causes.
func (c *chronicle) bury(ctx context.Context, letters []upnext.Failure) (map[string]int64, error) {
	if len(letters) == 0 {
		return nil, nil
	}
	causes := map[string]int64{}
	for _, l := range letters {
		causes[l.Cause]++
	}
	r := c.run
	r.mu.Lock()
	room := min(int64(len(letters)), max(0, maxLetters-r.letters))
	r.letters += room
	r.mu.Unlock()
	return causes, c.Imports.AddFailures(ctx, r.key.tenant, r.key.id, letters[:room]...)
}
