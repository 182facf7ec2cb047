package serve

import (
	"context"
	"slices"

	"upnext"
	"upnext/serve/taste"
)

// saysLiked reports whether an event is a like that those who follow the
// viewer may hear of. What somebody watched, saved or bought stays their own.
func saysLiked(e upnext.Event) bool {
	return e.Kind == upnext.Like || e.Kind == upnext.Share || e.Kind == upnext.Rate && e.Value >= taste.GoodRating
}

// aboutLiking reports whether an event says or takes back that an item is liked.
func aboutLiking(e upnext.Event) bool {
	switch e.Kind {
	case upnext.Unlike, upnext.Dislike, upnext.Rate:
		return true
	}
	return saysLiked(e)
}

// countLike keeps an event's like for those who follow the viewer. Nobody
// follows the anonymous.
func (tn *tenant) countLike(e upnext.Event) {
	if !aboutLiking(e) || e.Viewer.Anonymous {
		return
	}
	it := tn.shelf.Item(e.Item)
	switch {
	case it == nil:
	case saysLiked(e):
		tn.crowd.Like(e.Viewer, it.Ord, e.At)
	default:
		tn.crowd.Unlike(e.Viewer, it.Ord)
	}
}

// recountLikes makes a viewer's likes anew out of the events that are left of
// them, newest first: of those items, or of all where none is named.
func (tn *tenant) recountLikes(viewer upnext.ViewerID, left []upnext.Event, items ...upnext.ItemID) {
	if len(items) == 0 {
		tn.crowd.ForgetLikes(viewer)
	}
	for _, id := range items {
		if it := tn.shelf.Item(id); it != nil {
			tn.crowd.Unlike(viewer, it.Ord)
		}
	}
	for _, e := range slices.Backward(left) {
		if len(items) == 0 || slices.Contains(items, e.Item) {
			tn.countLike(e)
		}
	}
}

// rereadLikes brings the likes of a viewer up to date whom another process has
// changed: erased, or an event taken back.
func (r *Recommender) rereadLikes(ctx context.Context, key viewerKey) {
	if key.viewer.Anonymous {
		return
	}
	tn := r.tenant(key.tenant)
	if err := tn.following.lockIn(ctx); err != nil {
		return // the process ends
	}
	defer tn.following.Unlock()
	left, err := r.Events.ByViewer(ctx, key.tenant, key.viewer, r.Settings.Remember)
	if err != nil {
		tn.crowd.ForgetLikes(key.viewer) // rather none than what was taken back
		r.Logger.Warn("likes of a changed viewer not read", "tenant", key.tenant, "error", err)
		return
	}
	tn.recountLikes(key.viewer, left)
}
