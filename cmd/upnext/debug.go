package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"time"

	"upnext"
)

// Of events that block goroutines, one a millisecond of blocking is sampled, and
// of those in which a mutex was fought for one in a hundred: cheap enough to be
// left on while a server is looked at.
const (
	blockEvery = 1_000_000 // nanoseconds
	mutexEvery = 100
)

// serveDebug lets an engineer look into this process (go tool pprof): processor,
// heap, goroutines, mutexes, blocking, traces. It ends with ctx, and does nothing
// where no address is set.
func (s *Settings) serveDebug(ctx context.Context, logger *slog.Logger) error {
	if s.DebugListen == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.DebugListen)
	if err != nil {
		return fmt.Errorf("--debug-listen %s: %w", s.DebugListen, err)
	}
	logger.Info("profiles", "url", "http://"+listener.Addr().String()+"/debug/pprof/")
	runtime.SetBlockProfileRate(blockEvery)
	runtime.SetMutexProfileFraction(mutexEvery)
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// checkDebug refuses an address that others could reach: what it shows is not
// behind a key.
func (s *Settings) checkDebug() error {
	if s.DebugListen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(s.DebugListen)
	if err != nil {
		return fmt.Errorf("--debug-listen %q: %v: %w", s.DebugListen, err, upnext.ErrInvalid)
	}
	if !loopback(host) {
		return fmt.Errorf("--debug-listen %s: only a loopback address is served (127.0.0.1, ::1, localhost): %w", s.DebugListen, upnext.ErrInvalid)
	}
	return nil
}
