package serve

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"upnext"
)

// TestHealth asks an index that hangs: each call ends at its limit, then the
// index is left alone for a while, and asked again.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h health
		calls := 0
		hang := func(ctx context.Context) error {
			calls++
			<-ctx.Done()
			return ctx.Err()
		}
		ask := func(call func(context.Context) error, want time.Duration) {
			t.Helper()
			began := time.Now()
			err := h.ask(t.Context(), 100*time.Millisecond, call)
			if want >= 0 && (!errors.Is(err, upnext.ErrUnavailable) || time.Since(began) != want) {
				t.Errorf("call %d: %v after %s, want unavailable after %s", calls, err, time.Since(began), want)
			}
		}
		for range awayAfter {
			ask(hang, 100*time.Millisecond)
		}
		ask(hang, 0)
		if calls != awayAfter {
			t.Errorf("asked %d times, want %d: it is away", calls, awayAfter)
		}
		time.Sleep(awayFor)
		if err := h.ask(t.Context(), time.Second, func(context.Context) error { return nil }); err != nil {
			t.Errorf("back again: %v", err)
		}

		// A caller without time says nothing of the index.
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for range 2 * awayAfter {
			_ = h.ask(hurried, 100*time.Millisecond, hang)
		}
		ask(hang, 100*time.Millisecond)
	})
}
