// Package learn is the port of the models that learn from behaviour: a log goes
// in, a model comes out, and the model scores every item for any history, also
// for one that it was never fitted on. Items are numbers here; who they are is
// the caller's. Values in, values out, no I/O.
package learn

import (
	"context"
	"fmt"

	"upnext"
	"upnext/learn/artefact"
)

// History is what one viewer took to, oldest first.
type History struct {
	Items []int32
	At    []int64 // Unix seconds, never falling, one an item; nil where the order alone is known
}

// Log is what models are fitted on.
type Log struct {
	Items   int // they are 0 … Items-1
	Viewers []History
}

// Fitter is an algorithm with its settings.
type Fitter interface {
	// Name is constant: "ease", "sasrec", …
	Name() string

	// Fit learns from a log. Equal logs, settings and seeds give equal models,
	// to the bit, on any number of processors of one kind. A log from which
	// nothing can be learned (no viewers, one item) is ErrInvalid.
	Fit(ctx context.Context, log Log, watch Watch) (Model, error)
}

// Model scores items. It is constant and safe for concurrent use.
type Model interface {
	// Name is that of its Fitter.
	Name() string

	// Items is how many it knows.
	Items() int

	// Score sets scores, of length Items, to how well each item would follow
	// the history: more is better, and only the order within one call means
	// anything. Items of the history are scored like others. It reports false,
	// scores being undefined, where the history says nothing to it.
	Score(h History, scores []float32) bool

	// Artefact is the model as it is stored; the package's Load reads it back.
	Artefact() artefact.Artefact
}

// Reader is a Model that reads a history act by act: where a viewer stands with
// it can be kept, and costs only what is new when they act again.
type Reader interface {
	Model

	// Read returns where a viewer stands after a history.
	Read(h History) Reading
}

// Reading is where a viewer stands with a Reader. One goroutine may use it at a
// time.
type Reading interface {
	// Advance appends an act. What follows is, to the bit, as if the longer
	// history had been read at once.
	Advance(item int32)

	// Score is Model.Score of the acts so far.
	Score(scores []float32) bool

	// Bytes is what keeping it takes of memory.
	Bytes() int
}

// Watch is told how fitting goes, by one goroutine at a time. It may be nil.
type Watch func(Step)

// Step is how far fitting is.
type Step struct {
	Phase       string // "gram", "solve", "epoch", …
	Done, Total int
	Loss        float64 // mean of the phase; 0 where there is none
	Metric      float64 // on validation; 0 where it was not measured
}

// Tell calls w unless it is nil.
func (w Watch) Tell(s Step) {
	if w != nil {
		w(s)
	}
}

// Check reports what is wrong with a log, by ErrInvalid.
func (l Log) Check() error {
	if l.Items < 2 {
		return fmt.Errorf("a log of %d items: at least 2 are needed: %w", l.Items, upnext.ErrInvalid)
	}
	acts := 0
	for v, h := range l.Viewers {
		if h.At != nil && len(h.At) != len(h.Items) {
			return fmt.Errorf("viewer %d: %d items and %d times: %w", v, len(h.Items), len(h.At), upnext.ErrInvalid)
		}
		for i, item := range h.Items {
			if item < 0 || int(item) >= l.Items {
				return fmt.Errorf("viewer %d: item %d of %d: %w", v, item, l.Items, upnext.ErrInvalid)
			}
			if i > 0 && h.At != nil && h.At[i] < h.At[i-1] {
				return fmt.Errorf("viewer %d: act %d is older than the one before it: %w", v, i, upnext.ErrInvalid)
			}
		}
		acts += len(h.Items)
	}
	if acts == 0 {
		return fmt.Errorf("an empty log: %w", upnext.ErrInvalid)
	}
	return nil
}

// Last is the history's n newest acts.
func (h History) Last(n int) History {
	from := max(0, len(h.Items)-n)
	h.Items = h.Items[from:]
	if h.At != nil {
		h.At = h.At[from:]
	}
	return h
}
