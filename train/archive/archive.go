package archive

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"upnext"
	"upnext/infra/blob"
)

// Config is what an Archive is made of. Zero numbers and durations are those
// of DefaultSettings, but for those of Keep.
type Config struct {
	Blobs     blob.Store
	Events    upnext.Events
	Slates    upnext.Slates
	Retention upnext.Retention
	Locks     upnext.Locks // nil where no other process archives the same database

	Tenants func() []upnext.Tenant                             // asked at each round of Run
	Key     []byte                                             // the operator's secret; another one makes other pseudonyms
	Claim   func(upnext.Tenant, string) (upnext.SlateID, bool) // reads an event's token; nil leaves the slate out

	Settings
	Now    func() time.Time
	Logger *slog.Logger
}

// Settings are the dials of an Archive.
type Settings struct {
	HashDigits int           // 1: 16 files a day and batch; 2: 256. May change at any time
	Context    []string      // keys of an event's context that are kept
	Every      time.Duration // how often Run looks
	MinRows    int           // that must wait before a batch is written,
	MaxAge     time.Duration // unless one has waited so long
	MaxRows    int           // of a batch; it lies in memory
	MaxBytes   int           // of a batch in memory
	Keep       Keep
}

// Keep says what stays in the database of what is archived.
type Keep struct {
	Latest int           // events of each viewer; 0: all stay
	For    time.Duration // from acceptance on; as long is a duplicate sure to be known
}

// DefaultSettings make, for a million events a day, some 200 files of 160 kB.
func DefaultSettings() Settings {
	return Settings{
		HashDigits: 1, Every: 5 * time.Minute, MinRows: 100_000, MaxAge: 6 * time.Hour,
		MaxRows: 200_000, MaxBytes: 256 << 20,
	}
}

// Archive moves events and slates into the object store. It is safe for
// concurrent use; of one tenant one batch is written at a time.
type Archive struct {
	Config

	mu   sync.Mutex
	busy map[upnext.Tenant]chan struct{}
}

// New returns an Archive, or an ErrInvalid for settings that cannot be.
func New(cfg Config) (*Archive, error) {
	def := DefaultSettings()
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&cfg.Every, def.Every}, {&cfg.MaxAge, def.MaxAge}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	for _, n := range []struct {
		v   *int
		def int
	}{{&cfg.HashDigits, def.HashDigits}, {&cfg.MinRows, def.MinRows}, {&cfg.MaxRows, def.MaxRows}, {&cfg.MaxBytes, def.MaxBytes}} {
		if *n.v == 0 {
			*n.v = n.def
		}
	}
	switch {
	case len(cfg.Key) < minKey:
		return nil, fmt.Errorf("archive: key: %d bytes, at least %d needed: %w", len(cfg.Key), minKey, upnext.ErrInvalid)
	case cfg.HashDigits < 1 || cfg.HashDigits > 2:
		return nil, fmt.Errorf("archive: %d hash digits: 1 or 2: %w", cfg.HashDigits, upnext.ErrInvalid)
	case cfg.MinRows < 0 || cfg.MaxRows < 1 || cfg.MaxBytes < 1 || cfg.Every < 0 || cfg.MaxAge < 0 || cfg.Keep.Latest < 0 || cfg.Keep.For < 0:
		return nil, fmt.Errorf("archive: a negative setting in %+v: %w", cfg.Settings, upnext.ErrInvalid)
	}
	return &Archive{Config: cfg, busy: map[upnext.Tenant]chan struct{}{}}, nil
}

// lock waits until nobody else works on the tenant's archive: in this process,
// and among all where there are Locks.
func (a *Archive) lock(ctx context.Context, t upnext.Tenant) (unlock func(), err error) {
	if t == "" || strings.Contains(string(t), "/") {
		return nil, fmt.Errorf("tenant %q: cannot be the folder of an archive: %w", t, upnext.ErrInvalid)
	}
	a.mu.Lock()
	busy := a.busy[t]
	if busy == nil {
		busy = make(chan struct{}, 1)
		a.busy[t] = busy
	}
	a.mu.Unlock()
	select {
	case busy <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if a.Locks == nil {
		return func() { <-busy }, nil
	}
	release, err := a.Locks.Lock(ctx, "archive/"+string(t))
	if err != nil {
		<-busy
		return nil, err
	}
	return func() { release(); <-busy }, nil
}
