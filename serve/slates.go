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
	most int
	wake chan struct{}

	mu      sync.Mutex
	waiting []waitingSlate

	writing sync.Mutex // held while a batch is on its way to the store
}

type waitingSlate struct {
	tenant upnext.Tenant
	slate  upnext.Slate
}

func newSlateQueue(most int) *slateQueue {
	return &slateQueue{most: most, wake: make(chan struct{}, 1)}
}

// keep hands a slate to the writer.
func (r *Recommender) keep(q *asked, s upnext.Slate) {
	q.serve(s)
	if !r.slates.push(waitingSlate{q.tenant.name, s}) {
		r.meters.slatesDropped.Inc()
	}
}

func (w *slateQueue) push(s waitingSlate) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) >= w.most {
		return false
	}
	w.waiting = append(w.waiting, s)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return true
}

// take removes up to n slates of one tenant, the oldest first.
func (w *slateQueue) take(n int) (t upnext.Tenant, batch []upnext.Slate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return "", nil
	}
	t = w.waiting[0].tenant
	w.waiting = slices.DeleteFunc(w.waiting, func(s waitingSlate) bool {
		if s.tenant != t || len(batch) == n {
			return false
		}
		batch = append(batch, s.slate)
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
	w.waiting = slices.DeleteFunc(w.waiting, func(s waitingSlate) bool { return s.tenant == t && s.slate.Viewer == viewer })
	return before - len(w.waiting)
}

// slateBatch is how many slates one write takes.
const slateBatch = 64

// lastWrite is how long the slates that wait at the end may take.
const lastWrite = 5 * time.Second

// writeSlates writes slates until ctx ends and the last one is written.
func (r *Recommender) writeSlates(ctx context.Context) {
	for {
		select {
		case <-r.slates.wake:
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
