package serve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"upnext"
)

// Prepare completes an event as it came in: the time of receipt, and from its
// token the item and the position. Then it checks the event: ErrInvalid names
// what is wrong.
//
// A token that is not ours, or speaks of another item, does not cost the
// event, which is true without it: the token is dropped, so that nothing is
// attributed, and Context["token_rejected"] says why.
func (r *Recommender) Prepare(t upnext.Tenant, e upnext.Event) (upnext.Event, error) {
	now := r.Now()
	if e.ReceivedAt.IsZero() {
		e.ReceivedAt = now
	}
	if e.Token != "" {
		claim, err := r.Verify(t, e.Token)
		if err == nil && e.Item != "" && e.Item != claim.Item {
			err = upnext.Invalid("token", "is of item %s", claim.Item)
		}
		if err != nil {
			r.meters.tokens.Inc()
			e.Token, e.Context = "", maps.Clone(e.Context)
			if e.Context == nil {
				e.Context = map[string]any{}
			}
			e.Context["token_rejected"] = err.Error()
		} else {
			e.Item = claim.Item
			if e.Position == 0 {
				e.Position = claim.Rank
			}
		}
	}
	return e, e.Validate(now)
}

// Feedback takes in events, all or none: they are stored, then felt by the
// viewers who are held in memory. When it returns, the next answer to each of
// them knows. What all viewers do together (popular, trending, watched
// together) follows within Settings.FollowEvery.
func (r *Recommender) Feedback(ctx context.Context, t upnext.Tenant, events ...upnext.Event) ([]upnext.Appended, error) {
	if len(events) == 0 {
		return nil, nil
	}
	ready := make([]upnext.Event, len(events))
	for i, e := range events {
		var err error
		if ready[i], err = r.Prepare(t, e); err != nil {
			return nil, upnext.Within("events/"+strconv.Itoa(i), err)
		}
	}
	appended, err := r.Events.Append(ctx, t, ready...)
	if err != nil {
		return nil, fmt.Errorf("feedback: %w", err)
	}
	for i, a := range appended {
		r.meters.count(ready[i], a.Duplicate)
		if !a.Duplicate {
			if ready[i].Seq = a.Seq; a.Into != (upnext.ViewerID{}) {
				ready[i].Viewer = a.Into
			}
			r.viewers.feel(t, ready[i])
		}
	}
	r.tenant(t) // followed from now on
	r.look()
	return appended, nil
}

// Retract takes an event back: from the store, from what is believed of the
// viewer, and from the counts. A zero viewer means whoever sent it.
func (r *Recommender) Retract(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID, id upnext.EventID) error {
	e, err := r.retract(ctx, t, viewer, id)
	if err == nil && r.Archive != nil {
		if err = r.retractArchived(ctx, t, e); err != nil {
			// Asking again finds no event: somebody must look, so nothing is said softly.
			r.Logger.Error("a retracted event may be in the archive and stay there", "tenant", t, "event", id, "seq", e.Seq, "error", err)
		}
	}
	if err != nil {
		return fmt.Errorf("retract event %s: %w", id, err)
	}
	return nil
}

// retractArchived takes an event out of the archive under each name that its
// viewer may have had when it was archived.
func (r *Recommender) retractArchived(ctx context.Context, t upnext.Tenant, e upnext.Event) error {
	names, err := r.all(ctx, t, e.Viewer)
	for _, name := range names {
		e.Viewer = name
		err = errors.Join(err, r.Archive.Retract(ctx, t, e))
	}
	return err
}

func (r *Recommender) retract(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID, id upnext.EventID) (upnext.Event, error) {
	tn, err := r.open(ctx, t)
	if err != nil {
		return upnext.Event{}, err
	}
	// The tail must not read the event before and count it after.
	if err := tn.following.lockIn(ctx); err != nil {
		return upnext.Event{}, err
	}
	defer tn.following.Unlock()
	if viewer, err = r.viewers.whose(ctx, t, viewer); err != nil {
		return upnext.Event{}, err
	}
	e, err := r.Events.Retract(ctx, t, viewer, id)
	if err != nil {
		return e, err
	}
	tn.withdrew()
	r.viewers.forget(viewerKey{t, e.Viewer})
	tn.countShown(e, -1)
	it := r.takenTo(tn, e)
	if it == nil && !aboutLiking(e) {
		return e, nil
	}
	left, err := r.Events.ByViewer(ctx, t, e.Viewer, r.Settings.Remember)
	if err != nil {
		// The event is gone all the same; its part in the counts fades.
		r.Logger.Warn("counts keep a retracted event", "tenant", t, "event", id, "error", err)
		return e, nil
	}
	tn.recountLikes(e.Viewer, left, e.Item)
	if it == nil {
		return e, nil
	}
	for _, other := range left {
		if other.Item == e.Item && r.takenTo(tn, other) != nil {
			return e, nil // they took to it by other events too
		}
	}
	tn.crowd.Remove(e.Viewer, it.Ord)
	return e, nil
}

// Forget drops what memory holds of a viewer. Who has put or deleted a
// viewer's properties calls it, and the next answer knows.
func (r *Recommender) Forget(t upnext.Tenant, viewer upnext.ViewerID) {
	r.viewers.forget(viewerKey{t, viewer})
}
