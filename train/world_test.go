package train_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
	"upnext/infra/blob/dir"
	"upnext/infra/sqlstore"
	"upnext/train"
	"upnext/train/registry"
)

const home = upnext.DefaultTenant

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a Runner over SQLite and a folder, with a clock that ticks a minute
// each time it is read.
type world struct {
	*train.Runner
	t     *testing.T
	store *sqlstore.Store
	ticks atomic.Int64
}

func newWorld(t *testing.T) *world {
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
	w := &world{t: t, store: store}
	now := func() time.Time { return noon.Add(time.Duration(w.ticks.Add(1)) * time.Minute) }
	models := &registry.Registry{Blobs: blobs, Locks: store.Locks, Load: train.Load, Keep: 2, Now: now}
	w.Runner = &train.Runner{
		Trainer: &train.Trainer{
			Events: store.Events, Registry: models, Speaks: likes,
			Least: 2, Validated: 1000, Seed: 1, Promote: true, Logger: slog.New(slog.DiscardHandler), Now: now,
		},
		Blobs: blobs, Locks: store.Locks, Tenants: func() []upnext.Tenant { return []upnext.Tenant{home} },
	}
	return w
}

// likes speak clearly, views do a little.
func likes(context.Context, upnext.Tenant) (func(upnext.Event) (atAll, clearly bool), error) {
	return func(e upnext.Event) (bool, bool) {
		return e.Kind == upnext.Like || e.Kind == upnext.View, e.Kind == upnext.Like
	}, nil
}

func (w *world) append(events ...upnext.Event) {
	w.t.Helper()
	if _, err := w.store.Events.Append(w.t.Context(), home, events...); err != nil {
		w.t.Fatal(err)
	}
}

// twoWorlds are likes of viewers who stay in one of two worlds of items: 12 each,
// of which every viewer takes to 8.
func twoWorlds(viewers int) (events []upnext.Event) {
	for v := range viewers {
		side := "ab"[v%2 : v%2+1]
		for i := range 8 {
			events = append(events, like(fmt.Sprintf("v%d", v), fmt.Sprintf("%s%02d", side, (v/2+i*5)%12), i))
		}
	}
	return events
}

func like(viewer, item string, minute int) upnext.Event {
	return upnext.Event{
		ID: upnext.EventID(fmt.Sprintf("%s-%s-%d", viewer, item, minute)), Kind: upnext.Like, Viewer: upnext.ViewerID{ID: viewer}, Item: upnext.ItemID(item),
		At: noon.Add(time.Duration(minute) * time.Minute), ReceivedAt: noon,
	}
}

// wait runs the Runner until a run has ended.
func (w *world) wait(id string) train.Run {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		run, err := w.Get(w.t.Context(), home, id)
		if err != nil {
			w.t.Fatal(err)
		}
		if run.Ended() {
			return run
		}
	}
	w.t.Fatalf("run %s has not ended within a minute", id)
	return train.Run{}
}

// leave stores a run as a process left it.
func (w *world) leave(run train.Run) {
	w.t.Helper()
	raw, err := json.Marshal(run)
	if err == nil {
		_, err = w.Blobs.Put(w.t.Context(), "models/"+string(home)+"/runs/"+run.ID+".json", bytes.NewReader(raw))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
