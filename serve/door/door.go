// Package door lets in as many requests at once as the server does well with,
// and says of the others at once that they should come later. Work that waits
// inside only grows old; outside it costs nearly nothing.
//
// There are lanes, so that what is many does not keep out what matters: events
// have their own, answers have theirs, everything else shares a third. How
// wide a lane is follows from how long its requests take: failsafe-go's
// adaptive limiter compares recent times with those before (after Netflix's
// concurrency-limits: TCP Vegas and its gradient) and widens a lane only as
// far as more at once also gets more done.
package door

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/prometheus/client_golang/prometheus"

	"upnext"
)

// Class is what a request is, by what it is worth under an overload.
type Class string

// The classes. What is in none (health, readiness, metrics) never comes to the door.
const (
	Events  Class = "events"  // what viewers do: a lane of its own
	Answers Class = "answers" // pages, searches and the like: a lane of their own
	Low     Class = "low"     // answers that nobody looks at now: traces, batches; no waiting
	Writes  Class = "writes"  // of single items and users: in the third lane, before the rest
	Rest    Class = "rest"    // exports, bulk, trainings, reading: not while answers wait
)

// Classes are all.
var Classes = []Class{Events, Answers, Low, Writes, Rest}

// Settings are how many requests are let in at once.
type Settings struct {
	Answers int           // at most; what is let in adapts below it
	Events  int           // at most, likewise
	Others  int           // at most, always
	Wait    time.Duration // for who finds a lane full
}

// DefaultSettings are for this machine's processors.
func DefaultSettings() Settings {
	return Settings{Answers: 32 * runtime.GOMAXPROCS(0), Events: 1024, Others: 64, Wait: 500 * time.Millisecond}
}

// Door is safe for concurrent use.
type Door struct {
	answers, events, others lane
	wait                    time.Duration
	outcomes                *prometheus.CounterVec
}

// lane is a limiter that lets a few times its width wait.
type lane = adaptivelimiter.AdaptiveLimiter[any]

// How many may wait for a lane, as a multiple of its width: beyond the first
// some are refused, beyond the second all. A narrow lane of two processors still
// holds the pages of hundreds of connections that ask at the same moment; what bounds how
// late an answer may be is Settings.Wait.
const (
	someRefused = 64
	allRefused  = 128
)

// New opens a door. reg may be nil.
func New(s Settings, reg prometheus.Registerer) *Door {
	d := &Door{
		answers: newLane(2*runtime.GOMAXPROCS(0), s.Answers),
		events:  newLane(32, s.Events),
		others:  newLane(s.Others, s.Others),
		wait:    s.Wait,
	}
	d.measure(reg)
	return d
}

// baseline is over how many windows (of a second or more) times are averaged
// for what is usual. It is long: under a lasting overload a short one would
// learn that slow is usual, and the lane would widen until it is.
const baseline = 3000

// newLane is from least to most wide. It begins narrow, so that what it takes
// for usual is how long a request takes that has the server to itself.
func newLane(least, most int) lane {
	most = max(1, most)
	least = min(least, most)
	return adaptivelimiter.NewBuilder[any]().
		WithLimits(uint(least), uint(most), uint(least)).
		WithBaselineWindow(baseline).
		WithRecentWindow(time.Second, 5*time.Second, 50).
		WithQueueing(someRefused, allRefused).
		Build()
}

// ErrFull says that the server has too much to do. It wraps
// upnext.ErrUnavailable: the same may be asked again later.
var ErrFull = fmt.Errorf("the server is overloaded: %w", upnext.ErrUnavailable)

// Enter lets a request in, perhaps after Settings.Wait, or refuses it with
// ErrFull. Who was let in calls leave at the end; done says whether the work
// was done, and so whether its time speaks of the server. Where ctx ends while
// it waits, its error is returned.
func (d *Door) Enter(ctx context.Context, c Class) (leave func(done bool), err error) {
	l, wait := d.lane(c)
	var permit adaptivelimiter.Permit
	switch {
	case c == Rest && d.Pressed():
		err = adaptivelimiter.ErrExceeded
	case wait == 0:
		var ok bool
		if permit, ok = l.TryAcquirePermit(); !ok {
			err = adaptivelimiter.ErrExceeded
		}
	default:
		permit, err = l.AcquirePermitWithMaxWait(ctx, wait)
	}
	if errors.Is(err, adaptivelimiter.ErrExceeded) {
		d.outcomes.WithLabelValues(string(c), "refused").Inc()
		return nil, ErrFull
	}
	if err != nil {
		d.outcomes.WithLabelValues(string(c), "gone").Inc()
		return nil, fmt.Errorf("wait at the door: %w", err)
	}
	d.outcomes.WithLabelValues(string(c), "admitted").Inc()
	return func(done bool) {
		if done {
			permit.Record()
		} else {
			permit.Drop()
		}
	}, nil
}

// lane returns where a class enters and how long it waits there.
func (d *Door) lane(c Class) (lane, time.Duration) {
	switch c {
	case Events:
		return d.events, 10 * d.wait // a client that must send them again costs more
	case Answers:
		return d.answers, d.wait
	case Low:
		return d.answers, 0
	case Writes:
		return d.others, d.wait
	}
	return d.others, 0
}

// Pressed says whether answers wait to be let in: no time for what can wait.
func (d *Door) Pressed() bool { return d.answers.Queued() > 0 }
