package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
	"upnext/infra/blob"
	"upnext/train"
)

// second is another process on the same stores.
func (w *world) second() *world {
	tr := *w.Trainer
	return &world{t: w.t, store: w.store, Runner: &train.Runner{Trainer: &tr, Blobs: w.Blobs, Locks: w.Locks, Tenants: w.Tenants, Every: w.Every}}
}

// slowly makes each training wait at its first look at the events, and tells.
func (w *world) slowly() (began chan struct{}) {
	began = make(chan struct{}, 10)
	w.Trainer.Speaks = func(ctx context.Context, _ upnext.Tenant) (func(upnext.Event) (bool, bool), error) {
		began <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return began
}

// run runs the Runner until stop, which waits for its end.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	return func() { cancel(); running.Wait() }
}

// However many came after it, a run that waits is done; a run that nobody can
// read any more stops none.
func TestNoneStranded(t *testing.T) {
	w := newWorld(t)
	w.append(twoWorlds(20)...)
	asked, err := w.Start(t.Context(), home, []string{"popular"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		w.leave(train.Run{ID: fmt.Sprintf("run_Z%d", i), State: train.Succeeded, QueuedAt: noon, EndedAt: noon})
	}
	if _, err := w.Blobs.Put(t.Context(), "models/"+string(home)+"/runs/run_0damaged.json", bytes.NewReader([]byte(`{"id"`))); err != nil {
		t.Fatal(err)
	}
	w.start()
	if run := w.wait(asked.ID); run.State != train.Succeeded {
		t.Errorf("%+v", run)
	}
	if runs, err := w.List(t.Context(), home, 100); err != nil || len(runs) != 9 {
		t.Errorf("%d runs, %v, want 9: all but the damaged one", len(runs), err)
	}
	if _, err := w.Get(t.Context(), home, "run_0damaged"); err == nil || errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a damaged run: %v, want an error that is not the caller's", err)
	}
}

// Asking twice for what waits is asking once, and not everything can wait.
func TestWaiting(t *testing.T) {
	w := newWorld(t)
	one, err := w.Start(t.Context(), home, []string{"ease"})
	if err != nil {
		t.Fatal(err)
	}
	if two, err := w.Start(t.Context(), home, []string{"ease"}); err != nil || two.ID != one.ID {
		t.Errorf("asked again: %s, %v, want %s", two.ID, err, one.ID)
	}
	names := []string{"ease"}
	for range 9 {
		names = append(names, "ease") // another wish, if a strange one
		if _, err := w.Start(t.Context(), home, names); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Start(t.Context(), home, nil); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("the eleventh: %v, want ErrConflict", err)
	}
	if run, err := w.Cancel(t.Context(), home, one.ID); err != nil || run.State != train.Cancelled {
		t.Errorf("cancel what waits: %+v, %v", run, err)
	}
	if _, err := w.Start(t.Context(), home, nil); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if _, err := w.Cancel(t.Context(), home, one.ID); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("cancel again: %v, want ErrConflict", err)
	}
}

// A process that is stopped leaves the run to the next one, as often as it
// wants; one that is asked to end it does.
func TestStopped(t *testing.T) {
	w := newWorld(t)
	w.append(twoWorlds(20)...)
	asked, err := w.Start(t.Context(), home, []string{"popular"})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 { // more often than a run may kill its process
		other := w.second()
		began := other.slowly()
		stop := other.run()
		<-began
		if _, err := w.Cancel(t.Context(), home, asked.ID); !errors.Is(err, upnext.ErrConflict) {
			t.Errorf("cancel what another process does: %v, want ErrConflict", err)
		}
		stop()
		if run, err := other.Get(t.Context(), home, asked.ID); err != nil || run.State != train.Queued || run.Attempts != 0 {
			t.Fatalf("after the process's end: %+v, %v, want it queued", run, err)
		}
	}
	w.start()
	if run := w.wait(asked.ID); run.State != train.Succeeded || run.Attempts != 1 {
		t.Errorf("%+v", run)
	}

	other := newWorld(t)
	began := other.slowly()
	defer other.run()()
	if asked, err = other.Start(t.Context(), home, nil); err != nil {
		t.Fatal(err)
	}
	<-began
	if _, err := other.Cancel(t.Context(), home, asked.ID); err != nil {
		t.Fatal(err)
	}
	if run := other.wait(asked.ID); run.State != train.Cancelled {
		t.Errorf("%+v, want it cancelled", run)
	}
}

// Of two servers on one database one trains what the schedule wants.
func TestSchedule(t *testing.T) {
	w := newWorld(t)
	w.append(twoWorlds(20)...)
	w.Every = 24 * time.Hour
	other := w.second()
	stop, stopOther := w.run(), other.run()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if runs, err := w.List(t.Context(), home, 10); err == nil && len(runs) > 0 && runs[0].Ended() {
			break
		}
	}
	time.Sleep(50 * time.Millisecond)
	stop()
	stopOther()
	if runs, err := w.List(t.Context(), home, 10); err != nil || len(runs) != 1 || runs[0].State != train.Succeeded {
		t.Errorf("runs %+v, %v, want one that succeeded", runs, err)
	}
}

// flaky does not take the first news of a success.
type flaky struct {
	blob.Store
	refused *atomic.Int64
}

// Put implements blob.Store.
func (f flaky) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return blob.Info{}, err
	}
	if strings.Contains(key, "/runs/") && bytes.Contains(raw, []byte(`"succeeded"`)) && f.refused.CompareAndSwap(0, 1) {
		return blob.Info{}, upnext.ErrUnavailable
	}
	return f.Store.Put(ctx, key, bytes.NewReader(raw))
}

// What was trained is not trained again because the store was away for a moment.
func TestLastWords(t *testing.T) {
	w := newWorld(t)
	w.append(twoWorlds(20)...)
	var refused atomic.Int64
	w.Blobs = flaky{w.Blobs, &refused}
	asked, err := w.Start(t.Context(), home, []string{"popular"})
	if err != nil {
		t.Fatal(err)
	}
	stop := w.run()
	w.wait(asked.ID)
	stop()
	if run, err := w.second().Get(t.Context(), home, asked.ID); err != nil || run.State != train.Succeeded || run.Attempts != 1 || refused.Load() != 1 {
		t.Errorf("%+v, %v, refused %d; want it succeeded at the first attempt", run, err, refused.Load())
	}
}

// What was rolled back from does not come again by itself, and what is no
// better than popularity never does.
func TestNotPromoted(t *testing.T) {
	w := newWorld(t)
	w.append(twoWorlds(40)...)
	w.start()
	do := func(names ...string) string {
		t.Helper()
		asked, err := w.Start(t.Context(), home, names)
		if err != nil {
			t.Fatal(err)
		}
		run := w.wait(asked.ID)
		if run.State != train.Succeeded {
			t.Fatalf("%+v", run)
		}
		return run.Bundle.Version
	}
	do("popular")
	if _, err := w.Trainer.Registry.Current(t.Context(), home); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("popularity alone: %v, want nothing in use", err)
	}
	first, _ := do("ease"), do("ridge")
	if _, err := w.Trainer.Registry.Rollback(t.Context(), home); err != nil {
		t.Fatal(err)
	}
	third := do("ease")
	if got := w.inUse().Version; got != first {
		t.Errorf("in use after a rollback and a training: %s, want %s", got, first)
	}
	if _, err := w.Trainer.Registry.Promote(t.Context(), home, third); err != nil {
		t.Fatal(err)
	}
	if fourth := do("ease"); w.inUse().Version != fourth {
		t.Errorf("in use after a promotion and a training: %s, want %s", w.inUse().Version, fourth)
	}
}
