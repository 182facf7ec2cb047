package serve

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"upnext"
)

// newTestEngine has a patience of 100 ms, breaks after 3 failures for a
// second, and takes 8 calls.
func newTestEngine() *engine {
	set := Settings{BreakAfter: 3, BreakFor: time.Second, EngineCalls: 8}
	return newEngine("test", "", 100*time.Millisecond, set, newEngineMeters(nil))
}

// TestEngine asks one that hangs, heeding its context or not: each call ends
// at its limit, then the engine is left alone for a while, and tried again.
func TestEngine(t *testing.T) {
	for name, heeds := range map[string]bool{"heeds": true, "ignores": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, calls, ended := newTestEngine(), 0, make(chan struct{})
				defer close(ended)
				hang := func(ctx context.Context) (int, error) {
					calls++
					if !heeds {
						<-ended
					}
					select {
					case <-ctx.Done():
					case <-ended:
					}
					return 0, ctx.Err()
				}
				asks := func(limit, want time.Duration) {
					t.Helper()
					began := time.Now()
					_, err := ask(t.Context(), e, limit, hang)
					if !errors.Is(err, upnext.ErrUnavailable) || time.Since(began) != want {
						t.Errorf("call %d: %v after %s, want unavailable after %s", calls, err, time.Since(began), want)
					}
					synctest.Wait()
				}
				const limit = 100 * time.Millisecond
				for range 3 {
					asks(limit, limit)
				}
				time.Sleep(time.Millisecond) // the verdict on the last
				asks(limit, 0)
				if calls != 3 || !e.away() {
					t.Errorf("asked %d times, away %t; want 3 times, and away", calls, e.away())
				}
				time.Sleep(1100 * time.Millisecond)
				asks(limit, limit) // the one that tries
				time.Sleep(time.Millisecond)
				asks(limit, 0)
				time.Sleep(1100 * time.Millisecond)
				if v, err := ask(t.Context(), e, limit, func(context.Context) (int, error) { return 7, nil }); v != 7 || err != nil || e.away() {
					t.Errorf("back again: %d %v, away %t", v, err, e.away())
				}
			})
		})
	}
}

// TestHurried: callers with little time say nothing of an engine that would
// have answered, and those of one that never comes back are judged by its
// patience, not by theirs.
func TestHurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newTestEngine()
		slow := func(ctx context.Context) (int, error) {
			select {
			case <-time.After(50 * time.Millisecond):
				return 1, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		for range 10 {
			if _, err := ask(t.Context(), e, time.Millisecond, slow); !errors.Is(err, upnext.ErrUnavailable) {
				t.Fatalf("a call of a millisecond: %v, want unavailable", err)
			}
			synctest.Wait()
		}
		if v, err := ask(t.Context(), e, 100*time.Millisecond, slow); v != 1 || err != nil {
			t.Errorf("a patient caller after hurried ones: %d %v, want the answer", v, err)
		}
		ended := make(chan struct{})
		defer close(ended)
		for range 3 {
			if e.away() {
				t.Error("away before its patience has ended three times")
			}
			_, _ = ask(t.Context(), e, time.Millisecond, func(context.Context) (int, error) { <-ended; return 0, nil })
			time.Sleep(101 * time.Millisecond)
		}
		if !e.away() {
			t.Error("three calls do not come back, and it is asked on")
		}
	})
}

// TestStall: calls that hang together are one failure however many they are, so
// that a pause of the process opens no breaker; three times in a row open it.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newTestEngine()
		together := func() {
			for i := range 8 {
				go func() {
					time.Sleep(time.Duration(i) * time.Millisecond)
					_, _ = ask(t.Context(), e, 100*time.Millisecond, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
				}()
			}
			time.Sleep(200 * time.Millisecond)
		}
		for n := range 3 {
			if e.away() {
				t.Fatalf("away after %d stalls, want 3", n)
			}
			together()
		}
		if !e.away() {
			t.Error("nothing but stalls, and it is asked on")
		}
		time.Sleep(1100 * time.Millisecond)
		if v, err := ask(t.Context(), e, time.Second, func(context.Context) (int, error) { return 7, nil }); v != 7 || err != nil || e.away() {
			t.Errorf("back again: %d %v, away %t", v, err, e.away())
		}
	})
}

// TestAnswers: that something is absent or wrong is an answer, a panic is not.
func TestAnswers(t *testing.T) {
	for want, err := range map[bool]error{false: upnext.ErrNotFound, true: errors.New("disk")} {
		e := newTestEngine()
		for range 3 {
			if _, got := ask(t.Context(), e, time.Second, func(context.Context) (int, error) { return 0, err }); !errors.Is(got, err) {
				t.Errorf("%v comes back as %v", err, got)
			}
		}
		if e.away() != want {
			t.Errorf("after three times %q away is %t, want %t", err, e.away(), want)
		}
	}
	e := newTestEngine()
	if _, err := ask(t.Context(), e, time.Second, func(context.Context) (int, error) { panic("no") }); err == nil {
		t.Error("a panic is no error")
	}
}

// TestFull: an engine that holds its most calls gets no more.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, ended := newTestEngine(), make(chan struct{})
		for range 8 {
			go func() {
				_, _ = ask(t.Context(), e, time.Second, func(context.Context) (int, error) { <-ended; return 0, nil })
			}()
		}
		synctest.Wait()
		if _, err := ask(t.Context(), e, time.Second, func(context.Context) (int, error) { return 0, nil }); !errors.Is(err, upnext.ErrUnavailable) {
			t.Errorf("the ninth call: %v, want unavailable", err)
		}
		close(ended)
		synctest.Wait()
		if _, err := ask(t.Context(), e, time.Second, func(context.Context) (int, error) { return 0, nil }); err != nil {
			t.Errorf("after they came back: %v", err)
		}
	})
}
