package registry

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/infra/blob/dir"
	"upnext/infra/sqlstore"
	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/learn/collab"
)

const home = upnext.DefaultTenant

func open(t *testing.T) *Registry {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	blobs, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &Registry{Blobs: blobs, Locks: store.Locks, Load: collab.Load, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(1_800_000_000, 0) }}
}

// put stores a bundle of one model.
func put(t *testing.T, r *Registry, version string) {
	t.Helper()
	m, err := collab.Popular{}.Fit(t.Context(), learn.Log{Items: 2, Viewers: []learn.History{{Items: []int32{0, 1}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.New(bundle.Manifest{Format: bundle.Format, Version: version, Models: []bundle.Part{{Name: m.Name(), Weight: 1}}}, []upnext.ItemID{"a", "b"}, []learn.Model{m})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Put(t.Context(), home, b); err != nil {
		t.Fatal(err)
	}
}

func (r *Registry) inUse(t *testing.T) string {
	t.Helper()
	p, err := r.Current(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	return p.Version
}

func TestPointer(t *testing.T) {
	r, ctx := open(t), t.Context()
	if _, err := r.Current(ctx, home); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("nothing in use: %v", err)
	}
	if _, err := r.Rollback(ctx, home); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("roll back from nothing: %v", err)
	}
	for _, v := range []string{"v1", "v2", "v3"} {
		put(t, r, v)
	}
	for _, v := range []string{"v1", "v2", "v2", "v3"} {
		if _, err := r.Promote(ctx, home, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"v2", "v1"} {
		if _, err := r.Rollback(ctx, home); err != nil || r.inUse(t) != want {
			t.Errorf("rolled back to %s, %v, want %s", r.inUse(t), err, want)
		}
	}
	if _, err := r.Rollback(ctx, home); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("roll back beyond the first: %v", err)
	}
	for version, want := range map[string]error{"v9": upnext.ErrNotFound, "": upnext.ErrInvalid, "../v1": upnext.ErrInvalid} {
		if _, err := r.Promote(ctx, home, version); !errors.Is(err, want) {
			t.Errorf("promote %q: %v, want %v", version, err, want)
		}
	}
	if r.inUse(t) != "v1" {
		t.Errorf("in use %s after what was refused, want v1", r.inUse(t))
	}
}

// A bundle that is damaged on its way is never brought into use.
func TestDamaged(t *testing.T) {
	r, ctx := open(t), t.Context()
	put(t, r, "v1")
	put(t, r, "v2")
	if _, err := r.Promote(ctx, home, "v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Blobs.Put(ctx, bundleKey(home, "v2"), bytes.NewReader([]byte("PK cut short"))); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Promote(ctx, home, "v2"); !errors.Is(err, upnext.ErrInvalid) || r.inUse(t) != "v1" {
		t.Errorf("promote: %v, in use %s; want ErrInvalid and v1", err, r.inUse(t))
	}
}

// What the store no longer has whole stops neither the list nor the way on.
func TestDamagedBeside(t *testing.T) {
	r, ctx := open(t), t.Context()
	for _, v := range []string{"v1", "v2", "v3"} {
		put(t, r, v)
		if _, err := r.Promote(ctx, home, v); err != nil {
			t.Fatal(err)
		}
	}
	spoil := func(key string) {
		if _, err := r.Blobs.Put(ctx, key, bytes.NewReader([]byte(`{"version":`))); err != nil {
			t.Fatal(err)
		}
	}
	spoil(manifestKey(home, "v1"))
	if list, err := r.List(ctx, home); err != nil || len(list) != 2 || list[0].Version != "v2" {
		t.Errorf("list: %v, %v, want v2 and v3", list, err)
	}
	spoil(bundleKey(home, "v2"))
	if p, err := r.Rollback(ctx, home); err != nil || p.Version != "v1" || !p.Held {
		t.Errorf("roll back over a damaged one: %+v, %v, want v1, held", p, err)
	}
	spoil(current(home))
	if _, err := r.Current(ctx, home); !errors.Is(err, ErrDamaged) || errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a damaged pointer: %v, want ErrDamaged, which is not the caller's fault", err)
	}
	if _, err := r.Rollback(ctx, home); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("roll back with a damaged pointer: %v, want ErrConflict", err)
	}
	if p, err := r.Promote(ctx, home, "v3"); err != nil || p.Version != "v3" || r.inUse(t) != "v3" {
		t.Errorf("promote with a damaged pointer: %+v, %v", p, err)
	}
}

// Who has gone back is asked before the next one comes; by promoting one they
// let it go on.
func TestHeld(t *testing.T) {
	r, ctx := open(t), t.Context()
	for _, v := range []string{"v1", "v2"} {
		put(t, r, v)
		if _, err := r.Promote(ctx, home, v); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := r.Rollback(ctx, home); err != nil || !p.Held {
		t.Errorf("rolled back: %+v, %v, want it held", p, err)
	}
	if p, err := r.Promote(ctx, home, "v1"); err != nil || p.Held {
		t.Errorf("promoted what is in use: %+v, %v, want it no longer held", p, err)
	}
	if p, err := r.Current(ctx, home); err != nil || p.Held {
		t.Errorf("in use: %+v, %v", p, err)
	}
}

// The oldest go, but not what is in use nor what was before it.
func TestPrune(t *testing.T) {
	r, ctx := open(t), t.Context()
	r.Keep = 2
	for i := range 6 {
		put(t, r, fmt.Sprint("v", i))
	}
	for _, v := range []string{"v2", "v0", "v1"} {
		if _, err := r.Promote(ctx, home, v); err != nil {
			t.Fatal(err)
		}
	}
	// As a Put leaves it that was killed.
	if _, err := r.Blobs.Put(ctx, bundleKey(home, "v9"), bytes.NewReader([]byte("PK"))); err != nil {
		t.Fatal(err)
	}
	if err := r.Prune(ctx, home); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(ctx, home, "v9"); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("a file without a manifest: %v, want it gone", err)
	}
	list, err := r.List(ctx, home)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		got = append(got, m.Version)
	}
	if want := []string{"v0", "v1", "v4", "v5"}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
}
