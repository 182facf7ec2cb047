package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
	"upnext/web"
)

type serveCommand struct {
	RepairIndex bool `help:"Move collections of the embedded index that are damaged aside, and fill them again."`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, s *Settings, out console) error {
	logger := newLogger(s, out.err)
	if c.RepairIndex {
		if err := repairIndex(s, logger); err != nil {
			return err
		}
	}
	e, err := open(ctx, s, logger)
	if err != nil {
		return err
	}
	srv, err := newServer(ctx, e, nil)
	if err != nil {
		return errors.Join(err, e.close())
	}
	return srv.run(ctx, func(context.Context) error {
		fmt.Fprintf(out.out, "listening %s\n", srv.url)
		return nil
	})
}

func newLogger(s *Settings, to interface{ Write([]byte) (int, error) }) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.Log)) // kong has checked it
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: level}))
}

// server is the engines with the HTTP face on.
type server struct {
	*engines
	listener net.Listener
	http     *http.Server
	url      string
}

// newServer binds the address. extra are routes beside the API's; may be nil.
func newServer(ctx context.Context, e *engines, extra map[string]http.Handler) (*server, error) {
	s := e.settings
	secret, err := api.ParseKeys(s.SecretKeys, false)
	if err != nil {
		return nil, fmt.Errorf("--secret-keys: %w", err)
	}
	publishable, err := api.ParseKeys(s.PublishableKeys, true)
	if err != nil {
		return nil, fmt.Errorf("--publishable-keys: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", newHandler(e, append(secret, publishable...)))
	for pattern, h := range extra {
		mux.Handle(pattern, h)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", s.Listen, err)
	}
	address := listener.Addr().String()
	listener = netutil.LimitListener(listener, s.MaxConnections)
	return &server{
		engines: e, listener: listener, url: "http://" + address,
		http: newHTTPServer(mux, e.logger),
	}, nil
}

// newHandler is the API over the engines, once for each.
func newHandler(e *engines, keys []api.Key) http.Handler {
	var watcher api.Watcher // of buckets; nil where there is none
	if e.watcher != nil {
		watcher = e.watcher
	}
	return api.New(api.Config{
		Dependencies: e.dependencies(), Watcher: watcher, HookToken: e.settings.HookToken,
		Recommender: e.recommend, Writer: writer{e.pipeline}, Importer: importer{e.importer}, Collections: collections{e.pipeline}, Models: models{e}, Catalog: e.store.Catalog, Indexings: e.store.Indexings,
		Understandings: e.store.Understandings, Viewers: e.store.Viewers, Holdings: e.store.Holdings, Schemas: e.store.Schemas, Imports: e.store.Imports, Blobs: e.blobs, Collection: e.space.Name(),
		Pages: web.Pages(), Keys: keys, AllowOrigins: e.settings.AllowOrigins, Rates: api.Rates{Secret: e.settings.SecretRate, Publishable: e.settings.PublishableRate}, Metrics: e.metrics, Logger: e.logger,
		Now: e.settings.now, Version: version(), Door: e.settings.door(), BodyMemory: e.settings.bodyMemory(), Draining: e.draining,
	})
}

// run serves until ctx ends, then lets requests under way finish, and closes
// everything. started is called once the address is bound; its error ends it.
func (srv *server) run(ctx context.Context, started func(ctx context.Context) error) error {
	note := filepath.Join(srv.settings.DataDir, "server.url")
	if err := replaceFile(note, func(w io.Writer) error { _, err := fmt.Fprintln(w, srv.url); return err }); err != nil {
		return errors.Join(fmt.Errorf("say where the server is: %w", err), srv.listener.Close(), srv.close())
	}
	if err := srv.settings.limitMemory(srv.logger); err != nil {
		return errors.Join(err, srv.listener.Close(), srv.close())
	}
	told := ctx
	group, failed := errgroup.WithContext(context.WithoutCancel(told))
	ctx, stop := context.WithCancel(failed) // when the last request has been answered
	group.Go(func() error {
		if err := srv.http.Serve(srv.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error { return ignoreDone(ctx, srv.recommend.Run(ctx)) })
	group.Go(func() error { return srv.follow(ctx) })
	group.Go(func() error { return ignoreDone(ctx, srv.hear(ctx)) })
	group.Go(func() error { return srv.settings.serveDebug(ctx, srv.logger) })
	group.Go(func() error { return srv.followModels(ctx) })
	group.Go(func() error {
		select {
		case <-ctx.Done():
		case <-srv.recommend.Loaded(): // requests are answered first
			srv.behind(ctx, group)
		}
		return nil
	})
	group.Go(func() error {
		if started != nil {
			return ignoreDone(ctx, started(ctx))
		}
		return nil
	})
	group.Go(func() error {
		defer stop()
		return srv.drain(told, failed)
	})
	err := group.Wait()
	return errors.Join(err, os.Remove(note), srv.close())
}

// behind runs what works behind the requests: imports, trainings, the archive.
// Each reads the catalogue or the events whole when it begins, as loading does.
func (srv *server) behind(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error {
		// What a crash left half way is taken up before new imports run.
		sweeper := &ingest.Sweeper{Pipeline: srv.pipeline}
		sweeper.First(ctx)
		group.Go(func() error { return sweeper.Run(ctx) })
		return ignoreDone(ctx, srv.importer.Run(ctx))
	})
	group.Go(func() error { srv.runner.Run(ctx); return nil })
	group.Go(func() error { return srv.upgrade(ctx) }) // nothing to do where no encoders follow
	if srv.archive != nil && srv.settings.ArchiveEvery > 0 {
		group.Go(func() error { srv.archive.Run(ctx); return nil })
	}
	if srv.watcher != nil {
		group.Go(func() error { return srv.watcher.Run(ctx) })
	}
}

// follow shows the recommender each batch of an import as it comes.
func (srv *server) follow(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case t := <-srv.changed:
			if err := srv.recommend.Refresh(ctx, t); err != nil && ctx.Err() == nil {
				srv.logger.Warn("refresh failed", "tenant", t, "err", err)
			}
		}
	}
}

// hear tells the recommender what other servers of one database have changed.
func (srv *server) hear(ctx context.Context) error {
	return srv.store.Watch(ctx, func(c sqlstore.Change) {
		if c.Missed {
			srv.recommend.Missed()
		} else {
			srv.recommend.Changed(c.Tenant, c.Viewer)
		}
	})
}

// ignoreDone forgets an error that only says that ctx has ended.
func ignoreDone(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// waitReady returns once requests can be answered.
func (srv *server) waitReady(ctx context.Context) error {
	for {
		if srv.recommend.Ready() == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
