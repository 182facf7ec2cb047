package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"upnext"
	"upnext/serve/api"
)

// borrowed is a server to ask: the one that has the data directory open, or
// one of this process's own, on a loopback port and with a key that nobody
// else knows. What is asked through it has one way, whoever runs.
type borrowed struct {
	remote
	foreign bool
	group   *errgroup.Group
	stop    context.CancelFunc
	engines *engines
}

// borrow finds or starts a server for a tenant. The caller closes it.
func borrow(ctx context.Context, s *Settings, out console, tenant string) (*borrowed, error) {
	logger := newLogger(s, out.err)
	e, err := open(ctx, s, logger)
	if errors.Is(err, errLocked) {
		r, err := findServer(s)
		if err != nil {
			return nil, err
		}
		if tenant != "" && tenant != string(upnext.DefaultTenant) && len(s.SecretKeys) == 0 {
			return nil, fmt.Errorf("--tenant %s: the server at %s has the data open and goes by the key: set --secret-keys KEY: %w", tenant, r.url, upnext.ErrInvalid)
		}
		if len(s.SecretKeys) > 0 && tenant != "" {
			if r.key, err = keyOf(s.SecretKeys, tenant); err != nil {
				return nil, err
			}
		}
		printf(out.err, "the server at %s has the data open: it is asked\n", r.url)
		return &borrowed{remote: r, foreign: true}, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := lend(ctx, e, logger, tenant)
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return b, nil
}

// keyOf is the secret key of a tenant.
func keyOf(texts []string, tenant string) (string, error) {
	keys, err := api.ParseKeys(texts, false)
	if err != nil {
		return "", fmt.Errorf("--secret-keys: %w", err)
	}
	for _, k := range keys {
		if string(k.Tenant) == tenant {
			return k.Secret, nil
		}
	}
	return "", fmt.Errorf("--tenant %s: none of --secret-keys is of it: %w", tenant, upnext.ErrInvalid)
}

// lend starts a server of this process's own.
func lend(ctx context.Context, e *engines, logger *slog.Logger, tenant string) (*borrowed, error) {
	if tenant == "" {
		tenant = string(upnext.DefaultTenant)
	}
	key := api.Key{Secret: rand.Text(), Tenant: upnext.Tenant(tenant)}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	server := &http.Server{Handler: newHandler(e, []api.Key{key}), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug)}
	ctx, stop := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error { return ignoreDone(ctx, e.recommend.Run(ctx)) })
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	if _, err := e.useModels(ctx, key.Tenant); err != nil {
		logger.Warn("answers go without trained models", "tenant", tenant, "error", err)
	}
	b := &borrowed{remote: remote{"http://" + listener.Addr().String(), key.Secret}, group: group, stop: stop, engines: e}
	for e.recommend.Ready() != nil {
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), b.close())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return b, nil
}

// close ends a server of this process's own and closes the engines.
func (b *borrowed) close() error {
	if b.foreign {
		return nil
	}
	b.stop()
	return errors.Join(b.group.Wait(), b.engines.close())
}
