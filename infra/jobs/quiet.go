package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// quietFor is how long a message of River's is not repeated: a database that is
// away, or its disk full, makes River say so many times a second.
const quietFor = 30 * time.Second

// quiet keeps River's chatter about itself out of the log, and its repetitions:
// the next of the same message says how many were left out.
func quiet(l *slog.Logger) *slog.Logger {
	return slog.New(&rare{Handler: l.Handler(), said: &said{last: map[string]*saying{}}})
}

// rare is a handler that lets warnings and errors through, each now and then.
type rare struct {
	slog.Handler
	said *said // shared by all handlers made of one
}

type said struct {
	mu   sync.Mutex
	last map[string]*saying // by message; River has some dozens, all constant
}

type saying struct {
	at      time.Time
	skipped int
}

// maxSayings bounds the messages that are remembered.
const maxSayings = 1_000

// Enabled is asked before each record is made.
func (h *rare) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (h *rare) Handle(ctx context.Context, r slog.Record) error {
	h.said.mu.Lock()
	s := h.said.last[r.Message]
	if s != nil && r.Time.Sub(s.at) < quietFor {
		s.skipped++
		h.said.mu.Unlock()
		return nil
	}
	if s == nil && len(h.said.last) >= maxSayings {
		clear(h.said.last)
	}
	h.said.last[r.Message] = &saying{at: r.Time}
	h.said.mu.Unlock()
	if s != nil && s.skipped > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("left_out", s.skipped))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *rare) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &rare{Handler: h.Handler.WithAttrs(attrs), said: h.said}
}

// WithGroup implements slog.Handler.
func (h *rare) WithGroup(name string) slog.Handler {
	return &rare{Handler: h.Handler.WithGroup(name), said: h.said}
}
