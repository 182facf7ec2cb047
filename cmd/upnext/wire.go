package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/index"
	"upnext/index/rabitq"
	"upnext/infra/blob"
	"upnext/infra/blob/dir"
	"upnext/infra/jobs"
	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve"
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
	recommend *serve.Recommender
	changed   chan upnext.Tenant // a catalogue that the recommender should look at
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

// tokenKey returns the key that signs recommendations' tokens: made once, kept
// with the data, so that tokens outlive a restart.
func tokenKey(dir string) ([]byte, error) {
	name := filepath.Join(dir, "token.key")
	key, err := os.ReadFile(name)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("token key: %w", err)
	}
	if err == nil {
		return nil, fmt.Errorf("token key %s: %d bytes, want 32: remove it to have a new one made: %w", name, len(key), upnext.ErrInvalid)
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("token key: %w", err)
	}
	return key, os.WriteFile(name, key, 0o600)
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
	e := &engines{settings: s, logger: logger, metrics: newMetrics(), changed: make(chan upnext.Tenant, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.lock, err = lockDataDir(s.DataDir); err != nil {
		return nil, err
	}
	e.closers = append(e.closers, e.lock.Unlock)
	key, err := tokenKey(s.DataDir)
	if err != nil {
		return nil, err
	}
	at := func(name string) string { return filepath.Join(s.DataDir, name) }
	if e.store, err = sqlstore.Open(ctx, "sqlite:"+at("upnext.db"), logger); err != nil {
		return nil, err
	}
	e.closers = append(e.closers, e.store.Close)
	if e.blobs, err = dir.Open(at("objects")); err != nil {
		return nil, err
	}
	indexes, err := rabitq.Open(at("index"), logger)
	if err != nil {
		return nil, err
	}
	e.indexes = indexes
	e.closers = append(e.closers, indexes.Close)
	if e.queue, err = jobs.Open(ctx, at("jobs.db"), logger); err != nil {
		return nil, err
	}
	e.closers = append(e.closers, e.queue.Close)
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
	if e.space, err = embed.NewSpace(e.text.Model(), e.image.Model(), embed.DefaultTextWeight); err != nil {
		return err
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
	settings.SlateKeep = time.Duration(e.settings.SlateDays) * 24 * time.Hour
	for kind, w := range e.settings.EventWeights {
		settings.Taste.Weights[upnext.EventKind(kind)] = w
	}
	e.recommend = serve.New(serve.Config{
		Catalog: st.Catalog, Events: st.Events, Viewers: st.Viewers, Slates: st.Slates, Schemas: st.Schemas,
		Collections: e.indexes, Text: text.query, Query: e.query, Logger: e.logger, Now: e.settings.now,
		Seed: e.settings.Seed, TokenKey: key, Settings: settings, Metrics: e.metrics,
	})
	e.pipeline = &ingest.Pipeline{
		Catalog: st.Catalog, Indexings: st.Indexings, Understandings: st.Understandings, Schemas: st.Schemas, Collections: e.indexes,
		Blobs: e.blobs, Text: e.text, Image: e.image, Space: e.space, Understander: understander, Logger: e.logger, Now: e.settings.now,
		OnChange: e.refresh,
	}
	// Whoever may call from another machine may not name this one's folders.
	host, _, _ := net.SplitHostPort(e.settings.Listen) // checked with the settings
	e.importer, err = ingest.NewImporter(ingest.ImporterConfig{
		Pipeline: e.pipeline, Imports: st.Imports, Events: st.Events, Queue: e.queue, Workers: e.settings.Workers, NoFiles: !loopback(host),
	})
	return err
}

// query lays a text's vector into the content space.
func (e *engines) query(text []float32) []float32 {
	v, err := e.space.Query(text)
	if err != nil { // only for a vector of another length: a mistake of ours
		e.logger.Error("query vector refused", "err", err)
		return nil
	}
	return v
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
