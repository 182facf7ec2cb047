package serve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"upnext"
)

// Receipt says what an erasure has removed.
type Receipt struct {
	Viewer     upnext.ViewerID
	Events     int
	Slates     int
	Properties bool // whether there were any
	At         time.Time
}

// Erase removes all that is held of a viewer and of those who were merged into
// them: events, slates, properties, their part in the counts, and what memory
// holds. Doing it again is not an error and finds nothing. ErrConflict: they are
// anonymous and were merged into another, who is to be erased.
func (r *Recommender) Erase(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) (Receipt, error) {
	receipt := Receipt{Viewer: viewer, At: r.Now()}
	fail := func(err error) (Receipt, error) { return Receipt{}, fmt.Errorf("erase %s: %w", viewer, err) }
	if err := viewer.Validate(); err != nil {
		return fail(err)
	}
	who, err := r.Whose(ctx, t, viewer)
	if err == nil && who != viewer {
		err = fmt.Errorf("was merged into %s: %w", who, upnext.ErrConflict)
	}
	if err != nil {
		return fail(err)
	}
	tn, err := r.open(ctx, t)
	if err != nil {
		return fail(err)
	}
	names, err := r.all(ctx, t, viewer)
	if err != nil {
		return fail(err)
	}
	if err := tn.following.lockIn(ctx); err != nil {
		return fail(err)
	}
	unlock := sync.OnceFunc(tn.following.Unlock)
	defer unlock()
	for _, name := range names {
		if err := r.eraseOne(ctx, tn, name, &receipt); err != nil {
			return fail(err)
		}
	}
	unlock() // the archive may take its time, and others follow the events meanwhile
	if r.Archive != nil {
		for _, name := range names {
			if err := r.Archive.Forget(ctx, t, name); err != nil {
				return fail(err)
			}
		}
	}
	// Last: until then, asking again finds them all.
	if err := r.Merges.Part(ctx, t, viewer); err != nil {
		return fail(err)
	}
	for _, name := range names {
		r.viewers.forget(viewerKey{t, name})
	}
	return receipt, nil
}

// eraseOne removes what the stores and the counts hold under one name.
func (r *Recommender) eraseOne(ctx context.Context, tn *tenant, viewer upnext.ViewerID, receipt *Receipt) error {
	t := tn.name
	events, err := r.Events.ByViewer(ctx, t, viewer, r.Settings.Remember)
	if err != nil {
		return err
	}
	_, err = r.Viewers.Viewer(ctx, t, viewer)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return err
	}
	receipt.Properties = receipt.Properties || err == nil
	erased, err := r.Events.Erase(ctx, t, viewer)
	if err != nil {
		return err
	}
	tn.withdrew()
	if r.Checkpoints != nil {
		if err := r.Checkpoints.Drop(ctx, t, countsPart); err != nil {
			return fmt.Errorf("drop the checkpoint: %w", err)
		}
	}
	for _, e := range events {
		tn.countShown(e, -1)
		if it := r.takenTo(tn, e); it != nil {
			tn.crowd.Remove(viewer, it.Ord)
		}
	}
	tn.crowd.Forget(viewer)
	if err := r.Viewers.DeleteViewer(ctx, t, viewer); err != nil {
		return err
	}
	r.viewers.forget(viewerKey{t, viewer})
	waiting := r.slates.eraseViewer(t, viewer)
	slates, err := r.Slates.EraseSlates(ctx, t, viewer)
	if err != nil {
		return err
	}
	receipt.Events, receipt.Slates = receipt.Events+erased, receipt.Slates+slates+waiting
	if _, err := r.Cursors.EraseCursors(ctx, t, viewer); err != nil {
		return err
	}
	r.credit.Held.Forget(t, viewer)
	_, err = r.Replies.EraseReplies(ctx, t, viewer)
	return err
}
