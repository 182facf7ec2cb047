package serve

import (
	"context"
	"time"

	"upnext"
)

// mostRotated is how many of a viewer's latest answers are held back at most.
const mostRotated = 100

// served are the items that the viewer was served in the request's scenario, at any
// replica, within its rotation; nil where it has none. An answer that another
// replica gave within the last moment may be missing: it is on its way to the store.
func (r *Recommender) served(ctx context.Context, q *asked) map[upnext.ItemID]bool {
	rotation := time.Duration(r.Settings.Rules.RotationMS[q.req.Scenario]) * time.Millisecond
	if rotation == 0 || q.req.Viewer.ID == "" || q.class != classPage && q.class != classSimilar {
		return nil
	}
	since, items := q.now.Add(-rotation), map[upnext.ItemID]bool{}
	for _, s := range r.slates.of(q.tenant.name, q.req.Viewer) {
		if s.Scenario == q.req.Scenario && !s.At.Before(since) {
			for _, p := range s.Items {
				items[p.Item] = true
			}
		}
	}
	if r.Showings == nil {
		return items
	}
	shown, err := r.shownTo(ctx, q, since)
	if err != nil {
		q.degrade("rotation", err)
	}
	for _, s := range shown {
		if s.Scenario == q.req.Scenario {
			for _, it := range s.Items {
				items[it.Item] = true
			}
		}
	}
	return items
}

// shownTo reads what the viewer was shown since, from the store.
func (r *Recommender) shownTo(ctx context.Context, q *asked, since time.Time) ([]upnext.Showing, error) {
	return ask(ctx, r.engines.viewers, half(ctx, r.Settings.SourceDeadline), func(ctx context.Context) ([]upnext.Showing, error) {
		heads, err := r.Showings.LatestSlates(ctx, q.tenant.name, since, mostRotated, q.req.Viewer)
		if err != nil || len(heads) == 0 {
			return nil, err
		}
		ids := make([]upnext.SlateID, len(heads))
		for i, head := range heads {
			ids[i] = head.ID
		}
		return r.Showings.ShowingsOf(ctx, q.tenant.name, ids...)
	})
}
