package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/index"
	"upnext/infra/blob"
	"upnext/infra/jobs"
	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve"
	"upnext/train"
	"upnext/train/archive"
	"upnext/train/registry"
	"upnext/understand/zeroshot"
)

// engines are the parts that everything runs on, opened from the settings.
type engines struct {
	settings  *Settings
	logger    *slog.Logger
	metrics   *prometheus.Registry
	lock      *flock.Flock
	store     *sqlstore.Store
	blobs     blob.Store
	indexes   index.Collections
	queue     *jobs.Queue
	text      embed.Embedder
	image     embed.Embedder
	space     *embed.Space
	pipeline  *ingest.Pipeline
	importer  *ingest.Importer
	watcher   *ingest.Watcher  // nil: nothing is watched
	archive   *archive.Archive // nil: nothing is archived
	models    *registry.Registry
	runner    *train.Runner
	swapping  sync.Mutex // of models
	recommend *serve.Recommender
	changed   chan upnext.Tenant // a catalogue that the recommender should look at
	draining  *atomic.Bool       // the server is to end
	closers   []func() error     // in the order of opening
}

// errLocked says that another process has the data directory.
var errLocked = errors.New("another upnext has this data directory open")

// lockDataDir makes the directory and takes its lock: one process at a time.
func lockDataDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("%s: %w", dir, errLocked)
	}
	return lock, nil
}

// newMetrics returns a registry with what every Go process tells of itself.
func newMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// open opens the engines in the data directory and joins them. The caller
// closes.
func open(ctx context.Context, s *Settings, logger *slog.Logger) (_ *engines, err error) {
	e := &engines{settings: s, logger: logger, metrics: newMetrics(), changed: make(chan upnext.Tenant, 1), draining: new(atomic.Bool)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.lock, err = lockDataDir(s.DataDir); err != nil {
		return nil, err
	}
	e.closers = append(e.closers, e.lock.Unlock)
	key, err := s.secret("--token-key", s.TokenKey, "token.key")
	if err != nil {
		return nil, err
	}
	if err := e.openDatabase(ctx); err != nil {
		return nil, err
	}
	if e.blobs, err = openObjects(ctx, s, logger); err != nil {
		return nil, err
	}
	if err := e.openIndex(ctx); err != nil {
		return nil, err
	}
	if s.shared() && (s.Index == "" || strings.HasPrefix(s.Index, "rabitq:")) {
		logger.Warn("the index is in this process, the database may be shared: right for one server alone; with more, set --index milvus://…")
	}
	if s.shared() && (s.Objects == "" || strings.HasPrefix(s.Objects, "file:")) {
		logger.Warn("objects are in a folder, the database may be shared: right for one server, or for a folder that all have")
	}
	return e, e.join(ctx, key)
}

// join makes the flows from the engines.
func (e *engines) join(ctx context.Context, key []byte) (err error) {
	options := encoderOptions{dataDir: e.settings.DataDir, logger: e.logger, metrics: e.metrics}
	text, err := openEncoder(ctx, e.settings.TextEncoder, embed.Text, options)
	if err != nil {
		return err
	}
	e.closers = append(e.closers, text.close)
	image, err := openEncoder(ctx, e.settings.ImageEncoder, embed.Image, options)
	if err != nil {
		return err
	}
	e.closers = append(e.closers, image.close)
	e.text, e.image = text.Embedder, image.Embedder
	if e.space, err = embed.NewSpace(e.text.Model(), e.image.Model(), cmp.Or(e.settings.TextWeight, embed.DefaultTextWeight)); err != nil {
		return err
	}
	next, nextQuery, err := e.openNext(ctx)
	if err != nil {
		return err
	}
	kept := embed.Kept{{Text: text.query, Image: e.image, Space: e.space}}
	if next != nil {
		kept = append(kept, embed.Encoders{Text: nextQuery, Image: next.Image, Space: next.Space})
	}
	labeller, err := builtin.Text() // what zero-shot's scales are fitted to
	if err != nil {
		return err
	}
	understander, err := zeroshot.New(ctx, labeller)
	if err != nil {
		return err
	}
	st, settings := e.store, serve.DefaultSettings()
	settings.BreakAfter, settings.BreakFor = e.settings.BreakAfter, e.settings.BreakFor
	settings.ReplyBytes = cmp.Or(e.settings.replyBytes(), settings.ReplyBytes)
	settings.SlateKeep = time.Duration(e.settings.SlateDays) * 24 * time.Hour
	for kind, w := range e.settings.EventWeights {
		settings.Taste.Weights[upnext.EventKind(kind)] = w
	}
	if settings.Rules, err = rulesOf(e.settings.Rules); err != nil {
		return err
	}
	e.recommend = serve.New(serve.Config{
		Catalog: st.Catalog, Events: st.Events, Viewers: st.Viewers, Merges: st.Merges, Beats: st.Beats, Slates: st.Slates, Cursors: st.Cursors, Replies: st.Replies, Schemas: st.Schemas,
		Checkpoints: checkpoints{e.blobs}, Withdrawals: st.Events, Measures: st.Measures(), Showings: st.Slates, Locks: st.Locks, Collections: e.indexes, Query: kept.Query, Logger: e.logger, Now: e.settings.now,
		Seed: e.settings.Seed, TokenKey: key, Settings: settings, Metrics: e.metrics,
	})
	e.pipeline = &ingest.Pipeline{
		Catalog: st.Catalog, Indexings: st.Indexings, Understandings: st.Understandings, Schemas: st.Schemas, Collections: e.indexes,
		Blobs: e.blobs, Text: e.text, Image: e.image, Space: e.space, Understander: understander, Logger: e.logger, Now: e.settings.now,
		OnChange: e.refresh, Locks: st.Locks, Next: next,
	}
	e.newTraining()
	if e.archive, err = e.newArchive(); err != nil {
		return err
	}
	if e.archive != nil {
		e.recommend.Archive = e.archive
	}
	sources, err := bucketsOf(e.settings, e.logger)
	if err != nil {
		return err
	}
	// Whoever may call from another machine may not name this one's folders.
	host, _, _ := net.SplitHostPort(e.settings.Listen) // checked with the settings
	e.importer, err = ingest.NewImporter(ingest.ImporterConfig{
		Pipeline: e.pipeline, Imports: st.Imports, Events: st.Events, Viewers: st.Viewers, Queue: e.queue, Workers: e.settings.Workers, NoFiles: !loopback(host),
		Buckets: opener(sources),
	})
	if err != nil {
		return err
	}
	e.watcher, err = newWatcher(e.settings, e.importer, sources, st.Locks)
	return err
}

// refresh lets the recommender see what an import has just brought.
func (e *engines) refresh(t upnext.Tenant) {
	select {
	case e.changed <- t:
	default: // a refresh is due already
	}
}

// close closes what was opened, last first.
func (e *engines) close() error {
	var all error
	for i := len(e.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, e.closers[i]())
	}
	e.closers = nil
	return all
}
