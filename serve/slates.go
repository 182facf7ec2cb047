package serve

import (
	"context"
	"slices"
	"sync"
	"time"

	"upnext"
)

// slateQueue holds slates between the answer and the store. It is bounded and
// never blocks a request: what does not fit is dropped and counted.
type slateQueue struct {
	most   int
	traced int // at most so many that wait have their trace, which is large
	wake   chan struct{}

	mu       sync.Mutex
	waiting  []waitingSlate
	traces   int            // among waiting
	underway []waitingSlate // taken, and perhaps not in the store yet

	writing sync.Mutex // held while a batch is on its way to the store
}

type waitingSlate struct {
	tenant upnext.Tenant
	slate  upnext.Slate
}

func newSlateQueue(most, traced int) *slateQueue {
	return &slateQueue{most: most, traced: traced, wake: make(chan struct{}, 1)}
}

// keep hands a slate to the writer.
func (r *Recommender) keep(q *asked, s upnext.Slate) {
	q.serve(s)
	s.Next, s.Until = "", time.Time{} // they are its caller's
	slate, trace := r.slates.push(waitingSlate{q.tenant.name, s})
	if !slate {
		r.meters.slatesDropped.Inc()
	}
	if !trace {
		r.meters.tracesDropped.Inc()
	}
}

// push says whether there was room for the slate, and for its trace.
func (w *slateQueue) push(s waitingSlate) (slate, trace bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	trace = true
	if s.slate.Trace != nil && w.traces >= w.traced {
		s.slate.Trace, trace = nil, false
	}
	if len(w.waiting) >= w.most {
		return false, trace && s.slate.Trace == nil
	}
	if s.slate.Trace != nil {
		w.traces++
	}
	w.waiting = append(w.waiting, s)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return true, trace
}

// find returns a slate that the store may not have yet.
func (w *slateQueue) find(t upnext.Tenant, id upnext.SlateID) (upnext.Slate, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, list := range [][]waitingSlate{w.waiting, w.underway} {
		for _, s := range list {
			if s.tenant == t && s.slate.ID == id {
				return s.slate, true
			}
		}
	}
	return upnext.Slate{}, false
}

// of returns a viewer's slates that the store may not have yet.
func (w *slateQueue) of(t upnext.Tenant, viewer upnext.ViewerID) (slates []upnext.Slate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, list := range [][]waitingSlate{w.underway, w.waiting} {
		for _, s := range list {
			if s.tenant == t && s.slate.Viewer == viewer {
				slates = append(slates, s.slate)
			}
		}
	}
	return slates
}

// take removes up to n slates of one tenant, the oldest first.
func (w *slateQueue) take(n int) (t upnext.Tenant, batch []upnext.Slate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.underway = nil
	if len(w.waiting) == 0 {
		return "", nil
	}
	t = w.waiting[0].tenant
	w.waiting = slices.DeleteFunc(w.waiting, func(s waitingSlate) bool {
		if s.tenant != t || len(batch) == n {
			return false
		}
		batch = append(batch, s.slate)
		w.underway = append(w.underway, s)
		if s.slate.Trace != nil {
			w.traces--
		}
		return true
	})
	return t, batch
}

// eraseViewer drops a viewer's waiting slates and waits for those on their
// way, so that the store has all that there ever will be.
func (w *slateQueue) eraseViewer(t upnext.Tenant, viewer upnext.ViewerID) int {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	before := len(w.waiting)
	w.underway = nil // written, by now
	w.waiting = slices.DeleteFunc(w.waiting, func(s waitingSlate) bool {
		gone := s.tenant == t && s.slate.Viewer == viewer
		if gone && s.slate.Trace != nil {
			w.traces--
		}
		return gone
	})
	return before - len(w.waiting)
}

// slateBatch is how many slates one write takes.
const slateBatch = 64

// gatherSlates is how long slates wait for each other: a transaction costs the
// disk the same for one and for many.
const gatherSlates = 40 * time.Millisecond

// lastWrite is how long the slates that wait at the end may take.
const lastWrite = 5 * time.Second

// writeSlates writes slates until ctx ends and the last one is written.
func (r *Recommender) writeSlates(ctx context.Context) {
	for {
		select {
		case <-r.slates.wake:
			select {
			case <-time.After(gatherSlates):
			case <-ctx.Done():
			}
			r.flushSlates(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
			defer cancel()
			r.flushSlates(last)
			return
		}
	}
}

// flushSlates writes all that wait. A batch that the store refuses is
// dropped and counted: answers go on.
func (r *Recommender) flushSlates(ctx context.Context) {
	for r.flushBatch(context.WithoutCancel(ctx)) && ctx.Err() == nil {
	}
}

func (r *Recommender) flushBatch(ctx context.Context) (more bool) {
	r.slates.writing.Lock()
	defer r.slates.writing.Unlock()
	t, batch := r.slates.take(slateBatch)
	if len(batch) == 0 {
		return false
	}
	if err := r.Slates.Record(ctx, t, batch...); err != nil {
		r.meters.slatesDropped.Add(float64(len(batch)))
		r.Logger.Error("slates not recorded", "tenant", t, "slates", len(batch), "error", err)
		return true
	}
	if r.Measures != nil {
		for _, s := range batch {
			r.credit.Held.Add(t, upnext.ShowingOf(s))
		}
	}
	return true
}
