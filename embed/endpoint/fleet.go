package endpoint

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"upnext"
)

// server is one endpoint and what is known of its health.
type server struct {
	base, shown string
	breaker     *gobreaker.TwoStepCircuitBreaker[struct{}]

	// under the fleet's lock
	inFlight int
	restTill time.Time // it asked to be left alone until then
}

// fleet chooses among equal servers.
type fleet struct {
	meters meters

	mu      sync.Mutex
	servers []*server
	next    int // where the search for the least loaded begins, so that ties take turns
}

func newFleet(endpoints []string, m meters) *fleet {
	f := &fleet{meters: m}
	for _, base := range endpoints {
		s := &server{base: base, shown: Shown(base)}
		s.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name: s.shown, Timeout: breakFor,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakAfter },
			IsSuccessful: func(err error) bool { return !failing(err) },
			// A caller that gave up says nothing of the server, nor does a
			// server that is busy: its Retry-After is obeyed instead.
			IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) || busy(err) },
			OnStateChange: func(name string, _, to gobreaker.State) {
				m.breaker.WithLabelValues(name).Set(float64(to))
			},
		})
		m.breaker.WithLabelValues(s.shown).Set(0)
		f.servers = append(f.servers, s)
	}
	return f
}

// busy says that a server works and has too much to do.
func busy(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == 429
}

// failing says whether an error is a fault of the server.
func failing(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.passing()
	}
	return err != nil
}

// take returns the least loaded server that may be called now, rather one that
// the batch has not failed at, and what to call when it has answered. Where all
// rest at their own wish, wait says how long the first of them still does.
func (f *fleet) take(failed map[*server]bool) (s *server, done func(error), wait time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	now := time.Now()
	for _, again := range []bool{false, true} {
		for tried := map[*server]bool{}; ; {
			best := f.least(now, func(s *server) bool { return failed[s] == again && !tried[s] })
			if best == nil {
				break
			}
			allowed, refused := best.breaker.Allow()
			if refused != nil {
				tried[best] = true
				continue
			}
			best.inFlight++
			f.meters.inFlight.WithLabelValues(best.shown).Inc()
			return best, func(err error) { f.done(best, allowed, err) }, 0, nil
		}
	}
	for _, s := range f.servers {
		if rest := s.restTill.Sub(now); rest > 0 && (wait == 0 || rest < wait) {
			wait = rest
		}
	}
	if wait > 0 {
		return nil, nil, wait, nil
	}
	return nil, nil, 0, fmt.Errorf("%d embedding endpoints (%s): all have failed lately and are not asked: %w",
		len(f.servers), f.servers[0].shown, upnext.ErrUnavailable)
}

// least is the server with the fewest requests in flight among those that do not
// rest and pass.
func (f *fleet) least(now time.Time, pass func(*server) bool) *server {
	var best *server
	for i := range f.servers {
		s := f.servers[(f.next+i)%len(f.servers)]
		if pass(s) && !s.restTill.After(now) && (best == nil || s.inFlight < best.inFlight) {
			best = s
		}
	}
	return best
}

func (f *fleet) done(s *server, report func(error), err error) {
	report(err)
	f.mu.Lock()
	defer f.mu.Unlock()
	s.inFlight--
	f.meters.inFlight.WithLabelValues(s.shown).Dec()
	var status *StatusError
	if errors.As(err, &status) && status.RetryAfter > 0 {
		if till := time.Now().Add(status.RetryAfter); till.After(s.restTill) {
			s.restTill = till
		}
	}
}
