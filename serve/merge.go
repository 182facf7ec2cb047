package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"upnext"
)

// Merge makes known of an anonymous viewer: their events, with all that was
// made of them (taste, seen, follows, mutes), are the known one's, and so is what
// the anonymous one does and asks for from then on, at every replica. Doing it
// again is not an error. See upnext.Merges for its errors.
func (r *Recommender) Merge(ctx context.Context, t upnext.Tenant, anonymous, known upnext.ViewerID) (upnext.Merged, error) {
	fail := func(err error) (upnext.Merged, error) {
		return upnext.Merged{}, fmt.Errorf("merge %s into %s: %w", anonymous, known, err)
	}
	if err := errors.Join(anonymous.Validate(), known.Validate()); err != nil {
		return fail(err)
	}
	tn, err := r.open(ctx, t)
	if err != nil {
		return fail(err)
	}
	// The tail must not count an event for the one and then for the other.
	if err := tn.following.lockIn(ctx); err != nil {
		return fail(err)
	}
	defer tn.following.Unlock()
	events, err := r.Events.ByViewer(ctx, t, anonymous, r.Settings.Remember)
	if err != nil {
		return fail(err)
	}
	merged, err := r.Merges.Merge(ctx, t, anonymous, known, r.Now())
	if err != nil {
		return fail(err)
	}
	tn.withdrew()
	now := r.Now()
	for _, e := range slices.Backward(events) {
		tn.countShown(e, -1)
		if it := r.takenTo(tn, e); it != nil {
			tn.crowd.Remove(anonymous, it.Ord)
		}
		e.Viewer = known
		r.count(tn, e, now)
	}
	tn.crowd.Forget(anonymous)
	r.viewers.forget(viewerKey{t, anonymous})
	r.viewers.forget(viewerKey{t, known})
	return merged, nil
}

// Whose returns who a viewer is: the known one where they are anonymous and
// were merged.
func (r *Recommender) Whose(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) (upnext.ViewerID, error) {
	return r.viewers.whose(ctx, t, viewer)
}

// all returns a viewer and those who were merged into them.
func (r *Recommender) all(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) ([]upnext.ViewerID, error) {
	absorbed, err := r.Merges.Absorbed(ctx, t, viewer)
	return append([]upnext.ViewerID{viewer}, absorbed...), err
}

// whose is asked of the store as seldom as properties are: what was heard last
// holds while the store is away.
func (v *viewers) whose(ctx context.Context, t upnext.Tenant, id upnext.ViewerID) (upnext.ViewerID, error) {
	if !id.Anonymous || id.ID == "" {
		return id, nil
	}
	h := v.hold(viewerKey{t, id})
	if err := h.mu.lockIn(ctx); err != nil {
		return id, fmt.Errorf("read the viewer: %w", err)
	}
	defer h.mu.Unlock()
	if now := v.cfg.Now(); h.intoAt.IsZero() || now.Sub(h.intoAt) >= v.cfg.Settings.RereadViewer {
		into, err := v.cfg.Merges.Into(ctx, t, id)
		switch {
		case err == nil:
			h.into, h.intoAt = into, now
		case errors.Is(err, upnext.ErrNotFound):
			h.into, h.intoAt = id, now
		case h.intoAt.IsZero(): // nobody knows what who they are has blocked: no answer
			return id, fmt.Errorf("read the viewer: %w", unavailable(err))
		}
	}
	return h.into, nil
}
