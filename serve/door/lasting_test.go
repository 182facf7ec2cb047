package door

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// machine is a processor that works on all it has in turn, a slice each.
type machine chan struct{}

const slice = time.Millisecond

// work takes as long as need, and longer the more is worked on.
func (m machine) work(need time.Duration) {
	for ; need > 0; need -= slice {
		m <- struct{}{}
		time.Sleep(min(slice, need))
		<-m
	}
}

// TestLastingOverload asks a machine that makes 200 pages a second for 300 of
// them, for ten minutes of a bubble's time: it must go on to make nearly 200,
// soon, and not learn in the tenth minute that slow is usual. Then the load
// drops, and everybody is let in.
func TestLastingOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			page, refusal = 5 * time.Millisecond, 100 * time.Microsecond
			lasts         = 10 * time.Minute
		)
		d := New(Settings{Answers: 32, Events: 32, Others: 8, Wait: 100 * time.Millisecond}, nil)
		processor, random := make(machine, 1), rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		var times []time.Duration
		refused := 0
		load := func(rate float64, lasts time.Duration) {
			times, refused = nil, 0
			var all sync.WaitGroup
			for end := time.Now().Add(lasts); time.Now().Before(end); {
				time.Sleep(time.Duration(random.ExpFloat64() / rate * float64(time.Second)))
				all.Go(func() {
					came := time.Now()
					leave, err := d.Enter(t.Context(), Answers)
					if errors.Is(err, ErrFull) {
						processor.work(refusal)
						mu.Lock()
						refused++
						mu.Unlock()
						return
					}
					processor.work(page)
					leave(true)
					mu.Lock()
					times = append(times, time.Since(came))
					mu.Unlock()
				})
			}
			all.Wait()
		}
		load(50, time.Minute)
		if refused > 0 {
			t.Errorf("%d of a quarter of what it can are refused", refused)
		}
		widest := 0
		for minute := range int(lasts / time.Minute) {
			load(300, time.Minute)
			widest = max(widest, d.answers.Limit())
			slices.Sort(times)
			good, p99 := float64(len(times))/60, times[len(times)*99/100]
			t.Logf("minute %d: %.0f pages/s, p50 %s, p99 %s, %d refused; the lane is %d wide", minute+1, good, times[len(times)/2], p99, refused, d.answers.Limit())
			if good < 180 || p99 > 250*time.Millisecond {
				t.Errorf("minute %d: %.0f pages/s, p99 %s; want 180 and 250 ms", minute+1, good, p99)
			}
		}
		load(100, time.Minute)
		if share := float64(refused) / float64(refused+len(times)); share > 0.01 {
			t.Errorf("when the load has dropped to half, %.1f %% are refused", 100*share)
		}
	})
}
