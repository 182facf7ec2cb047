package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"

	"upnext"
	"upnext/serve/door"
)

// checkLimits reports limits that nothing could be served within.
func (s *Settings) checkLimits() error {
	if s.MaxAnswers < 0 || s.MaxEvents < 1 || s.MaxOthers < 1 || s.MaxConnections < 16 {
		return fmt.Errorf("--max-answers %d, --max-events %d, --max-others %d, --max-connections %d: not below 0, 1, 1 and 16: %w",
			s.MaxAnswers, s.MaxEvents, s.MaxOthers, s.MaxConnections, upnext.ErrInvalid)
	}
	if s.BreakAfter < 1 || s.BreakFor <= 0 || s.Drain < 0 {
		return fmt.Errorf("--break-after %d, --break-for %s, --drain %s: at least 1, above 0 and not below 0: %w", s.BreakAfter, s.BreakFor, s.Drain, upnext.ErrInvalid)
	}
	if n, err := humanize.ParseBytes(s.BodyMemory); err != nil || n < 16<<20 || n > math.MaxInt64 {
		return fmt.Errorf("--body-memory %q: want 16MiB or more: %w", s.BodyMemory, upnext.ErrInvalid)
	}
	if n, err := humanize.ParseBytes(s.ReplyBytes); err != nil || n < 1<<20 || n > math.MaxInt64 {
		return fmt.Errorf("--reply-bytes %q: want 1MiB or more: %w", s.ReplyBytes, upnext.ErrInvalid)
	}
	if s.MemoryLimit == "auto" || s.MemoryLimit == "off" {
		return nil
	}
	if n, err := humanize.ParseBytes(s.MemoryLimit); err != nil || n < 64<<20 || n > math.MaxInt64 {
		return fmt.Errorf("--memory-limit %q: auto, off, or 64MiB or more: %w", s.MemoryLimit, upnext.ErrInvalid)
	}
	return nil
}

// bodyMemory is the setting in bytes; checkLimits has read it before.
func (s *Settings) bodyMemory() int64 {
	n, _ := humanize.ParseBytes(s.BodyMemory)
	return int64(n)
}

// replyBytes likewise.
func (s *Settings) replyBytes() int64 {
	n, _ := humanize.ParseBytes(s.ReplyBytes)
	return int64(n)
}

// door is how many requests are let in at once.
func (s *Settings) door() door.Settings {
	d := door.DefaultSettings()
	d.Answers = cmp.Or(s.MaxAnswers, d.Answers)
	d.Events, d.Others = s.MaxEvents, s.MaxOthers
	return d
}

// limitMemory sets the heap's soft limit: near it the collector works harder,
// which is slow, and better than being killed. The variable GOMEMLIMIT ranks
// above the setting. rabitq's files are mapped, not in the heap.
func (s *Settings) limitMemory(logger *slog.Logger) error {
	provider := memlimit.FromCgroup
	ratio := 0.9
	switch s.MemoryLimit {
	case "off":
		return nil
	case "auto":
	default:
		n, err := humanize.ParseBytes(s.MemoryLimit)
		if err != nil {
			return fmt.Errorf("--memory-limit %q: %w", s.MemoryLimit, upnext.ErrInvalid)
		}
		provider, ratio = memlimit.Limit(n), 1
	}
	limit, err := memlimit.Set(memlimit.WithProvider(provider), memlimit.WithRatio(ratio))
	switch {
	case errors.Is(err, memlimit.ErrCgroupsNotSupported), errors.Is(err, memlimit.ErrNoCgroup):
		return nil // not in a container
	case err != nil:
		logger.Warn("no memory limit found", "err", err) // it serves all the same
	case limit < math.MaxInt64:
		logger.Info("memory limit", "bytes", debug.SetMemoryLimit(-1))
	}
	return nil
}

// newHTTPServer is patient, but not with those who hold connections for nothing:
// a header has 10 s, and what no route has set another clock for has a minute
// to be read and another to be written.
func newHTTPServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// lastRequests is how long those under way at the end may take.
const lastRequests = 10 * time.Second

// drain waits until the server is told to end, or has failed. Then readyz says
// no first, so that balancers send nothing more; what comes all the same is
// answered for --drain; then no connection is taken, and requests under way
// are finished.
func (srv *server) drain(told, failed context.Context) error {
	select {
	case <-told.Done():
		srv.draining.Store(true)
		select {
		case <-time.After(srv.settings.Drain):
		case <-failed.Done():
		}
	case <-failed.Done():
		srv.draining.Store(true)
	}
	patience, cancel := context.WithTimeout(context.Background(), lastRequests)
	defer cancel()
	if err := srv.http.Shutdown(patience); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	srv.logger.Warn("requests under way are cut short")
	return srv.http.Close()
}
