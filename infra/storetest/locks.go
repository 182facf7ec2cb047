package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// testLocks holds names from many goroutines: one at a time has each.
func testLocks(t *testing.T, open Open) {
	s, ctx := open(t, "locks"), t.Context()
	var holders [2]atomic.Int32
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for range 5 {
				unlock, err := s.Locks.Lock(ctx, []string{"one", "two"}[w%2])
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders[w%2].Add(1); n != 1 {
					t.Errorf("%d hold one name", n)
				}
				holders[w%2].Add(-1)
				unlock()
			}
		})
	}
	wg.Wait()
	unlock, err := s.Locks.Lock(ctx, "one")
	ok(t, "lock", err)
	other, err := s.Locks.Lock(ctx, "another")
	ok(t, "lock another name", err)
	other()
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if _, err := s.Locks.Lock(short, "one"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a held name: %v, want the context's end", err)
	}
	unlock()
	unlock() // again is nothing
	unlock, err = s.Locks.Lock(ctx, "one")
	ok(t, "lock what was given back", err)
	unlock()
}
