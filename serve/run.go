package serve

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"upnext"
)

// pruneEvery is how often old slates are looked for.
const pruneEvery = time.Hour

// Run loads the tenants of Config, then follows their catalogues and events,
// writes slates and prunes them. It returns when ctx ends, after the last
// slate is written; with an error only where loading failed before that.
func (r *Recommender) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { r.writeSlates(ctx) })
	for _, t := range r.Tenants {
		if err := r.Refresh(ctx, t); err != nil && ctx.Err() == nil {
			return fmt.Errorf("run: %w", err)
		}
	}
	close(r.ready)
	go debug.FreeOSMemory() // loading has left as much behind as it has kept
	wg.Go(func() { r.prune(ctx) })
	wg.Go(func() { r.pruneReplies(ctx) })
	wg.Go(func() { r.meetNewcomers(ctx) })
	wg.Go(func() { r.checkpoint(ctx) })
	if r.Measures != nil {
		wg.Go(func() { r.measure(ctx) })
	}
	tick := time.NewTicker(r.Settings.FollowEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.wake:
		}
		for _, t := range r.Known() {
			if err := r.Refresh(ctx, t); err != nil && ctx.Err() == nil {
				// The stores may be back at the next tick; answers go on meanwhile.
				r.Logger.Error("cannot follow", "tenant", t, "error", err)
			}
		}
		r.forgetStale(ctx)
	}
}

// Loaded is closed once Run has loaded the tenants of Config. What can wait does,
// so that it does not take from loading.
func (r *Recommender) Loaded() <-chan struct{} { return r.ready }

// Changed says that another process that shares the stores has changed them:
// Run looks at the tail of the events and the catalogue now. Where a viewer is
// named, their events were taken back or their properties changed, and what
// memory holds of them is dropped. It returns at once.
func (r *Recommender) Changed(t upnext.Tenant, viewer upnext.ViewerID) {
	if viewer != (upnext.ViewerID{}) {
		key := viewerKey{t, viewer}
		r.viewers.forget(key)
		r.credit.Held.Forget(t, viewer)
		// Again after the next look: a page of events that was read before may
		// be on its way to them.
		r.mu.Lock()
		r.stale[key] = true
		r.mu.Unlock()
	}
	r.look()
}

// Missed says that other processes may have changed anything unheard. What
// memory holds of viewers is dropped; they are read when they come.
func (r *Recommender) Missed() {
	r.mu.Lock()
	r.missed = true
	r.mu.Unlock()
	r.viewers.forgetAll()
	r.look()
}

// look wakes Run.
func (r *Recommender) look() {
	select {
	case r.wake <- struct{}{}:
	default: // somebody has been told already
	}
}

// forgetStale drops who was changed elsewhere before the look that has ended.
func (r *Recommender) forgetStale(ctx context.Context) {
	r.mu.Lock()
	stale, missed := r.stale, r.missed
	r.stale, r.missed = map[viewerKey]bool{}, false
	r.mu.Unlock()
	if missed {
		r.viewers.forgetAll()
		return
	}
	for key := range stale {
		r.viewers.forget(key)
		r.rereadLikes(ctx, key)
	}
}

// Known lists the tenants that were met.
func (r *Recommender) Known() []upnext.Tenant {
	r.mu.Lock()
	defer r.mu.Unlock()
	tenants := make([]upnext.Tenant, 0, len(r.tenants))
	for t := range r.tenants {
		tenants = append(tenants, t)
	}
	return tenants
}

func (r *Recommender) prune(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		n, err := r.Slates.Prune(ctx, r.Now().Add(-r.Settings.SlateKeep), r.Now().Add(-r.Settings.TraceKeep))
		switch {
		case err != nil && ctx.Err() == nil:
			r.Logger.Error("slates not pruned", "error", err)
		case n > 0:
			r.Logger.Info("slates pruned", "slates", n)
		}
		if n, err := r.Cursors.PruneCursors(ctx, r.Now()); err != nil && ctx.Err() == nil {
			r.Logger.Error("cursors not pruned", "error", err)
		} else if n > 0 {
			r.Logger.Info("cursors pruned", "cursors", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Ready returns nil once each tenant of Config can be answered, else an
// ErrUnavailable that names what is missing. A tenant without items is ready:
// its answer is an empty page.
func (r *Recommender) Ready() error {
	for _, t := range r.Tenants {
		tn := r.tenant(t)
		if !tn.loaded.Load() {
			return fmt.Errorf("tenant %s: catalogue and events are being loaded: %w", t, upnext.ErrUnavailable)
		}
		ctx, cancel := context.WithTimeout(context.Background(), r.Settings.Deadline)
		_, _, err := r.Collections.Active(ctx, t)
		cancel()
		switch {
		case err == nil:
		case errors.Is(err, upnext.ErrNotFound) && tn.shelf.Len() == 0:
		case !errors.Is(err, upnext.ErrNotFound): // the index is away: answers go on without it, degraded
		default:
			return fmt.Errorf("tenant %s: index: %w: %w", t, err, upnext.ErrUnavailable)
		}
	}
	return nil
}
