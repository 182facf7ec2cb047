package serve

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"upnext"
)

// engine is what the request path calls and cannot trust to answer: an index,
// the encoder of queries, the stores. Around each stands a circuit breaker
// (Nygard, Release It!, 2007): after BreakAfter failures in a row it is not
// called for BreakFor, then by one call at a time until one succeeds. So an
// engine that is away costs a few requests their share, and those behind them
// nothing. Calls that were under way together and fail count as one failure: on
// full processors a pause of the whole process makes all of them late at once,
// and says little of the engine.
type engine struct {
	name     string
	tenant   upnext.Tenant // empty: of all
	patience time.Duration // a call that takes this long is a failure, whoever waited
	most     int64         // calls under way; more are refused
	breaker  *gobreaker.TwoStepCircuitBreaker[struct{}]
	under    atomic.Int64
	failed   atomic.Int64 // when the last failure was counted, since started
	started  time.Time
	meters   *engineMeters
}

// newEngine returns one whose breaker is closed.
func newEngine(name string, t upnext.Tenant, patience time.Duration, set Settings, m *engineMeters) *engine {
	e := &engine{name: name, tenant: t, patience: patience, most: int64(set.EngineCalls), started: time.Now(), meters: m}
	e.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: name, Timeout: set.BreakFor,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= set.BreakAfter },
		IsSuccessful: func(err error) bool { return !failing(err) },
		IsExcluded:   func(err error) bool { return errors.Is(err, errHurried) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			m.breaker.WithLabelValues(name, string(t)).Set(float64(to))
		},
	})
	m.breaker.WithLabelValues(name, string(t)).Set(0)
	return e
}

// errHurried says of a call that it says nothing of the engine: the caller had
// less time than it may take, or others have told already.
var errHurried = errors.New("the caller had no time")

// failing says whether an error is a fault of the engine: what it knows to be
// absent or wrong is an answer.
func failing(err error) bool {
	for _, answer := range []error{upnext.ErrNotFound, upnext.ErrInvalid, upnext.ErrConflict} {
		if errors.Is(err, answer) {
			return false
		}
	}
	return err != nil
}

// ask makes one call and waits for it no longer than limit, nor than ctx lives:
// a call that does not heed its context is left behind, and its answer is lost.
// The error of an engine that is away, late or full wraps ErrUnavailable.
func ask[T any](ctx context.Context, e *engine, limit time.Duration, call func(ctx context.Context) (T, error)) (T, error) {
	var none T
	report, err := e.enter()
	if err != nil {
		e.meters.count(e, "refused")
		return none, err
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answers := make(chan answer[T], 1) // one that comes late must not wait
	began := time.Now()
	one := &verdict{report: func(err error) { report(e.counted(err, began)) }}
	go func() {
		defer e.under.Add(-1)
		v, err := safely(limited, call)
		one.give(e.judge(err, limited.Err() != nil, time.Since(began)))
		answers <- answer[T]{v, err}
	}()
	a, came := waitFor(limited, answers)
	switch {
	case !came: // it has until the engine's patience ends to come back, then that is a failure
		time.AfterFunc(max(0, e.patience-limit), func() { one.give(context.DeadlineExceeded) })
		fallthrough
	case a.err != nil && limited.Err() != nil:
		e.meters.count(e, "late")
		return none, fmt.Errorf("no answer within %s: %w: %w", limit.Round(time.Millisecond), limited.Err(), upnext.ErrUnavailable)
	case failing(a.err):
		e.meters.count(e, "failed")
	default:
		e.meters.count(e, "ok")
	}
	return a.value, a.err
}

// enter asks whether the engine may be called.
func (e *engine) enter() (report func(error), err error) {
	if e.under.Add(1) > e.most {
		e.under.Add(-1)
		return nil, fmt.Errorf("the %s is away: %d calls have not come back: %w", e.name, e.most, upnext.ErrUnavailable)
	}
	if report, err = e.breaker.Allow(); err != nil {
		e.under.Add(-1)
		return nil, fmt.Errorf("the %s is away: it has failed lately: %w", e.name, upnext.ErrUnavailable)
	}
	return report, nil
}

// judge says what a call that has come back tells of the engine.
func (e *engine) judge(err error, late bool, took time.Duration) error {
	switch {
	case late && took >= e.patience:
		return context.DeadlineExceeded
	case late && err != nil:
		return errHurried
	}
	return err
}

// counted is what a call that began then says to the breaker: of those that were
// under way when a failure was counted, a further one is none.
func (e *engine) counted(err error, began time.Time) error {
	if !failing(err) || errors.Is(err, errHurried) {
		return err
	}
	last := e.failed.Load()
	if last > 0 && began.Sub(e.started) < time.Duration(last) || !e.failed.CompareAndSwap(last, int64(time.Since(e.started))) {
		return errHurried
	}
	return err
}

// away says whether calls are refused at present.
func (e *engine) away() bool { return e.breaker.State() != gobreaker.StateClosed }

// verdict is given to a breaker once: by the call that came back, or by who
// lost patience with it.
type verdict struct {
	report func(error)
	given  atomic.Bool
}

func (v *verdict) give(err error) {
	if v.given.CompareAndSwap(false, true) {
		v.report(err)
	}
}

type answer[T any] struct {
	value T
	err   error
}

// waitFor waits for an answer as long as ctx lives; false where none came.
func waitFor[T any](ctx context.Context, answers <-chan answer[T]) (answer[T], bool) {
	select {
	case a := <-answers:
		return a, true
	case <-ctx.Done():
		select { // it may have come together with the deadline
		case a := <-answers:
			return a, true
		default:
			return answer[T]{}, false
		}
	}
}

// safely keeps a call that panics from taking the process with it.
func safely[T any](ctx context.Context, call func(ctx context.Context) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return call(ctx)
}
