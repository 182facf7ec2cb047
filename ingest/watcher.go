package ingest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"upnext"
)

// Watch is a source in a bucket that is kept up to date without being asked.
type Watch struct {
	Tenant    upnext.Tenant
	Source    string           // s3://BUCKET/PREFIX
	Format    string           // of Formats; empty is Auto
	OnMissing upnext.OnMissing // empty is KeepMissing
}

// WatcherConfig is what a Watcher works with; Importer is needed.
type WatcherConfig struct {
	Importer *Importer // its Run must run beside the Watcher's
	Watches  []Watch
	Every    time.Duration // from one whole import of a source to the next; 0 is 15 minutes
	Gather   time.Duration // for which news are gathered before they are looked at; 0 is a second
	Locks    upnext.Locks  // among the processes that watch the same sources; nil: this is the only one

	// Announce asks the bucket's server for news; nil: somebody else has. It is
	// asked again with each whole import until it succeeds.
	Announce func(ctx context.Context, t upnext.Tenant, bucket, prefix string) error
}

// Watcher takes in what changes in buckets. News that reach Notice are acted on
// at once; a whole import, at the start and then every so often, finds what
// news were lost: those of a time when no process ran, or that the server gave
// up sending. Of one source one thing is done at a time. It is safe for
// concurrent use.
type Watcher struct {
	WatcherConfig
	watched []*watched
}

// watched is a Watch and what is to be done about it.
type watched struct {
	Watch
	place place
	wake  chan struct{} // holds one: there is something to do

	mu    sync.Mutex
	news  map[string]bool // by key below the source: whether it was removed
	whole time.Time       // an import of the whole that began since then is wanted; zero: none

	// Of the one goroutine that acts.
	clean     string    // the source's name, once it was found
	format    string    // once it is known
	quiet     time.Time // no whole import before: one may take half of the time at most
	announced bool
}

// maxNews is how many changed keys are held for one source; more are like all.
const maxNews = 10_000

// NewWatcher checks the watches; nothing is opened yet.
func NewWatcher(c WatcherConfig) (*Watcher, error) {
	c.Every, c.Gather = cmp.Or(c.Every, 15*time.Minute), cmp.Or(c.Gather, time.Second)
	w := &Watcher{WatcherConfig: c}
	for _, one := range c.Watches {
		p, err := parseSource(one.Tenant, one.Source)
		if err == nil && p.bucket == "" {
			err = fmt.Errorf("source %s: only s3://BUCKET/PREFIX can be watched: %w", one.Source, upnext.ErrInvalid)
		}
		if one.OnMissing = cmp.Or(one.OnMissing, upnext.KeepMissing); err == nil && !slices.Contains([]upnext.OnMissing{upnext.KeepMissing, upnext.HideMissing, upnext.DeleteMissing}, one.OnMissing) {
			err = fmt.Errorf("on_missing: %q is none of keep, hide, delete: %w", one.OnMissing, upnext.ErrInvalid)
		}
		if one.Format = cmp.Or(one.Format, Auto); err == nil && !slices.Contains(Formats, one.Format) {
			err = fmt.Errorf("format %q is none of %v: %w", one.Format, Formats, upnext.ErrInvalid)
		}
		if err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		w.watched = append(w.watched, &watched{Watch: one, place: p, wake: make(chan struct{}, 1), news: map[string]bool{}})
	}
	return w, nil
}

// Notice takes the news of one object and says whether anybody watches where it
// lies. It does not block. News are held in memory: those that a crash loses
// are found by the whole import at the start.
func (w *Watcher) Notice(bucket, key string, removed bool) bool {
	taken := false
	for _, one := range w.watched {
		if below, ok := one.below(bucket, key); ok {
			taken = true
			one.notice(below, removed, w.Importer.Pipeline.Now())
		}
	}
	return taken
}

// below returns a key as it is named within the source; empty for the source
// itself, where it is one manifest.
func (wd *watched) below(bucket, key string) (string, bool) {
	switch {
	case bucket != wd.place.bucket:
		return "", false
	case wd.place.key == "":
		return key, true
	case key == wd.place.key:
		return "", true
	}
	return strings.CutPrefix(key, wd.place.key+"/")
}

func (wd *watched) notice(key string, removed bool, now time.Time) {
	wd.mu.Lock()
	defer wd.mu.Unlock()
	if wd.news[key] = removed; len(wd.news) > maxNews {
		clear(wd.news)
		wd.wantLocked(now)
	}
	wd.rouse()
}

// want asks for an import of the whole that begins at since or later.
func (wd *watched) want(since time.Time) {
	wd.mu.Lock()
	defer wd.mu.Unlock()
	wd.wantLocked(since)
	wd.rouse()
}

func (wd *watched) wantLocked(since time.Time) {
	if since.After(wd.whole) {
		wd.whole = since
	}
}

func (wd *watched) rouse() {
	select {
	case wd.wake <- struct{}{}:
	default:
	}
}

// take returns what is to be done, and forgets it.
func (wd *watched) take() (news map[string]bool, whole time.Time) {
	wd.mu.Lock()
	defer wd.mu.Unlock()
	news, whole = wd.news, wd.whole
	wd.news, wd.whole = map[string]bool{}, time.Time{}
	return news, whole
}

// restore puts back what could not be done; newer news of a key count.
func (wd *watched) restore(news map[string]bool, whole, now time.Time) {
	wd.mu.Lock()
	defer wd.mu.Unlock()
	for key, removed := range news {
		if _, newer := wd.news[key]; !newer {
			wd.news[key] = removed
		}
	}
	wd.wantLocked(whole)
	if len(wd.news) > maxNews {
		clear(wd.news)
		wd.wantLocked(now)
	}
	wd.rouse()
}

// Run follows all sources until ctx ends. What engines answer is logged and
// tried again; an error is only a mistake of the caller's.
func (w *Watcher) Run(ctx context.Context) error {
	if w.Importer == nil {
		return fmt.Errorf("watch: there is no importer: %w", upnext.ErrInvalid)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, one := range w.watched {
		group.Go(func() error { w.follow(ctx, one); return nil })
	}
	return group.Wait()
}

// follow does one thing after another about one source.
func (w *Watcher) follow(ctx context.Context, wd *watched) {
	wd.want(w.Importer.Pipeline.Now())
	next := time.NewTimer(w.interval())
	defer next.Stop()
	failed := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			// Another process that has just begun one has done our part.
			wd.want(w.Importer.Pipeline.Now().Add(-w.Every / 2))
			next.Reset(w.interval())
			continue
		case <-wd.wake:
		}
		if !sleep(ctx, w.Gather) {
			return
		}
		news, whole := wd.take()
		err := w.act(ctx, wd, news, whole)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failed = 0
			continue
		}
		w.Importer.Pipeline.Logger.Warn("a watched source cannot be followed now", "source", wd.Source, "tenant", wd.Tenant, "error", err)
		if !sleep(ctx, min(maxBackoff, time.Second<<min(failed, 10))) {
			return
		}
		failed++
		wd.restore(news, whole, w.Importer.Pipeline.Now())
	}
}

// interval is Every, give or take a tenth: processes that were started together
// do not list together for ever.
func (w *Watcher) interval() time.Duration {
	return time.Duration(float64(w.Every) * (.9 + .2*rand.Float64()))
}

// sleep waits, and says whether ctx has not ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(max(0, d))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
