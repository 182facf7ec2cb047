package serve

import (
	"fmt"
	"time"

	"upnext"
	"upnext/serve/shelf"
	"upnext/serve/source"
	"upnext/serve/taste"
)

// guardSources gives the sources guards of their own: one that is late may
// still be looking when the request's guard has been told what is resumed.
func (q *asked) guardSources() {
	pass, resume := q.guard, q.guard
	resume.Seen = upnext.SeenNone
	q.ask.Pass, q.ask.Resume = pass.Pass, resume.Pass
}

// visit folds what the request's session says; nil where it says nothing.
func (q *asked) visit(set taste.Settings) *taste.Visit {
	if q.req.Session == "" {
		return nil
	}
	acts := q.viewer.acts
	of := taste.VisitActs(q.req.Session, len(acts), func(i int) *taste.Act { return &acts[i].Act })
	return taste.VisitOf(of, &q.tenant.shelf, set)
}

// resume lets what is brought to be gone on with through the guard, although
// it has been seen.
func (q *asked) resume(found []recalled) {
	for _, f := range found {
		if f.name != (source.Continue{}).Name() || len(f.candidates) == 0 {
			continue
		}
		q.guard.Resumed = make(map[upnext.ItemID]bool, len(f.candidates))
		for _, c := range f.candidates {
			q.guard.Resumed[c.Item.Item.ID] = true
		}
	}
}

// resumeAt says where the viewer left an item, as a player's clock shows it.
func (q *asked) resumeAt(it *shelf.Item) string {
	for _, b := range q.viewer.state.Begun {
		if b.Item.Item.ID == it.Item.ID {
			return clock(b.Position)
		}
	}
	return clock(0)
}

// clock writes 75 s as 1:15 and an hour more as 1:01:15.
func clock(d time.Duration) string {
	s := int(d / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
