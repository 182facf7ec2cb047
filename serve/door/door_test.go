package door

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"upnext"
)

// narrow lets two answers, two events and two others in at once.
func narrow() Settings {
	return Settings{Answers: 2, Events: 2, Others: 2, Wait: 100 * time.Millisecond}
}

// TestOverload floods the answers' lane: events enter as if nobody were there,
// the rest and what nobody looks at do not enter while answers wait, and every
// refusal comes within the time that may be waited.
func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(narrow(), nil)
		ctx, stop := context.WithCancel(t.Context())
		var flood sync.WaitGroup
		var admitted, refused atomic.Int64
		for range 50 {
			flood.Go(func() {
				for ctx.Err() == nil {
					began := time.Now()
					leave, err := d.Enter(ctx, Answers)
					switch {
					case errors.Is(err, ErrFull) && errors.Is(err, upnext.ErrUnavailable):
						refused.Add(1)
						if took := time.Since(began); took > 100*time.Millisecond {
							t.Errorf("refused after %s, want within 100 ms", took)
						}
						time.Sleep(5 * time.Millisecond)
					case err == nil:
						admitted.Add(1)
						time.Sleep(10 * time.Millisecond)
						leave(true)
					}
				}
			})
		}
		time.Sleep(50 * time.Millisecond)
		for range 100 {
			began := time.Now()
			leave, err := d.Enter(t.Context(), Events)
			if err != nil || time.Since(began) > 0 {
				t.Fatalf("an event: %v after %s, want in at once", err, time.Since(began))
			}
			leave(true)
			for _, c := range []Class{Low, Rest} {
				if _, err := d.Enter(t.Context(), c); !errors.Is(err, ErrFull) {
					t.Fatalf("%s while answers wait: %v, want refused", c, err)
				}
			}
			if leave, err = d.Enter(t.Context(), Writes); err != nil {
				t.Fatalf("a write while answers wait: %v", err)
			}
			leave(true)
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		flood.Wait()
		// Two at once, 10 ms each, for 1.05 s: at most 212.
		if got := admitted.Load(); got < 190 || got > 212 || refused.Load() == 0 {
			t.Errorf("%d answers, %d refused; want about 210, and some refused", got, refused.Load())
		}
		if leave, err := d.Enter(t.Context(), Rest); err != nil {
			t.Errorf("the rest when the flood is over: %v", err)
		} else {
			leave(true)
		}
	})
}

// TestGone: who leaves the queue takes no place in the lane.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(narrow(), nil)
		var leaves []func(bool)
		for range 2 {
			leave, err := d.Enter(t.Context(), Answers)
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := d.Enter(ctx, Answers); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller who goes: %v, want their context's error", err)
		}
		for _, leave := range leaves {
			leave(false)
		}
		if d.Pressed() || d.answers.Inflight() != 0 {
			t.Errorf("pressed %t, %d inside; want nobody", d.Pressed(), d.answers.Inflight())
		}
	})
}
