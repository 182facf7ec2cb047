package serve

import (
	"context"
	"slices"

	"upnext"
	"upnext/serve/rule"
	"upnext/serve/source"
)

// rerank arranges the page by the rules of the settings, and the guard last, on
// what the shelf says at that moment: where it refuses an item of the page, the
// page is arranged again without all that it refuses. What stands above it on a
// page of rows does not come again.
func (r *Recommender) rerank(ctx context.Context, q *asked, ranked []*candidate, above ...rule.Known) []*candidate {
	var placed []*candidate
	if q.class != classRank {
		q.favour(ranked)
	}
	q.known = r.knownItems(q)
	r.fetchVectors(ctx, q, ranked)
	q.known = slices.Concat(q.known, q.returned(), above)
	if q.class == classRank {
		placed = q.inOrder(ranked)
	} else {
		page := r.page(q)
		page.Pins = append(page.Pins, q.explored(ranked)...)
		placed = q.arrange(page, ranked)
	}
	if len(placed) < q.req.Count && q.req.Backfill == "popular" {
		placed = q.backfill(placed)
	}
	q.trace.mark("rerank", placed)
	q.time("rerank")
	return placed
}

// arrangeTries is how often a page is arranged: what changes faster than that
// costs its place.
const arrangeTries = 4

// arrange makes a page of what the guard lets pass.
func (q *asked) arrange(page rule.Page, left []*candidate) (placed []*candidate) {
	for try := 1; ; try++ {
		order, decided := q.ordered(page, left)
		placed = make([]*candidate, 0, len(order))
		for _, i := range order {
			if q.refuses(left[i]) == "" {
				placed = append(placed, left[i])
			} else if try == arrangeTries {
				q.turned(left[i])
			}
		}
		if len(placed) == len(order) || try == arrangeTries {
			q.trace.decide(decided)
			return placed
		}
		left = slices.DeleteFunc(slices.Clone(left), q.turned)
	}
}

// ordered asks the rules for an order of candidates, and in traces for what they
// decided: about this order, which need not be the last.
func (q *asked) ordered(page rule.Page, left []*candidate) (order []int, decided []decision) {
	if q.trace != nil {
		page.Note = func(i int, d upnext.Decision) { decided = append(decided, decision{left[i], d}) }
	}
	return page.Arrange(viewsOf(left)), decided
}

// refuses looks a candidate up as the shelf has it now, and says why it may not
// be shown; empty where it may.
func (q *asked) refuses(c *candidate) rule.Cause {
	if c.item != nil { // it may have gone already
		c.item = q.shown(c.item)
	}
	return q.guard.Cause(c.item)
}

// turned reports whether the guard refuses a candidate, and tells the trace.
func (q *asked) turned(c *candidate) bool {
	cause := q.refuses(c)
	if cause != "" {
		q.trace.note(c, upnext.Decision{Rule: "guard", Action: rule.Dropped, Detail: string(cause)})
	}
	return cause != ""
}

// backfill fills a page that came out short with popular items, and then with
// new ones, that nothing else has brought. The filter holds for them too.
func (q *asked) backfill(placed []*candidate) []*candidate {
	ask := q.ask
	ask.Wide = true
	met := map[upnext.ItemID]bool{}
	for _, c := range placed {
		met[c.item.Item.ID] = true
	}
	for _, s := range []source.Source{source.Popular{}, source.Fresh{}} {
		more, err := s.Recall(context.Background(), ask, 2*q.req.Count)
		if err != nil { // these two read memory alone
			q.degrade("backfill", err)
			continue
		}
		for i, c := range more {
			if id := c.Item.Item.ID; len(placed) < q.req.Count && !met[id] {
				met[id] = true
				placed = append(placed, &candidate{
					item: c.Item, origins: []origin{{source: "backfill", rank: i + 1, share: 1, score: c.Score}},
				})
			}
		}
	}
	return placed
}
