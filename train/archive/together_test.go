package archive_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"upnext"
	"upnext/train/archive"
)

// oneLock is a lock that processes of a test share.
type oneLock chan struct{}

func (l oneLock) Lock(ctx context.Context, _ string) (func(), error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var _ upnext.Locks = oneLock(nil)

// TestTogether lets two replicas archive one tenant while events come and a
// viewer is erased: every event is there once.
func TestTogether(t *testing.T) {
	w := newWorld(t, archive.Settings{MaxRows: 20})
	locks := make(oneLock, 1)
	var replicas []*archive.Archive
	for range 2 {
		cfg := w.Config
		cfg.Locks = locks
		a, err := archive.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		replicas = append(replicas, a)
	}
	var writing, running sync.WaitGroup
	ended := make(chan struct{})
	for _, viewer := range []string{"ann", "bob"} {
		writing.Go(func() {
			for n := range 100 {
				if _, err := w.store.Events.Append(t.Context(), home, view(viewer, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, a := range replicas {
		running.Go(func() {
			for last := false; !last; {
				select {
				case <-ended:
					last = true
				default:
				}
				if _, err := a.RunOnce(t.Context(), home); err != nil {
					t.Error(err)
				}
				if err := a.Erase(t.Context(), home, upnext.ViewerID{ID: "eve"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(ended)
	running.Wait()
	if got := w.read(t, time.Time{}, time.Time{}); len(got) != 200 {
		t.Errorf("%d events archived, want 200", len(got))
	}
	waiting, err := w.Waiting(t.Context(), home)
	if err != nil || waiting.Events != 0 || waiting.Slates != 0 {
		t.Errorf("waiting: %+v, %v, want nothing", waiting, err)
	}
	w.append(t, view("ann", 100))
	if waiting, err = w.Waiting(t.Context(), home); err != nil || waiting.Events != 1 {
		t.Errorf("waiting: %+v, %v, want one event", waiting, err)
	}
}
