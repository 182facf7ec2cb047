package serve

import (
	"context"

	"upnext"
	"upnext/serve/rule"
	"upnext/serve/source"
)

// rerank arranges the page: diversity under the dial, the creators' share,
// and the guard last, on what the shelf says at that moment.
func (r *Recommender) rerank(q *asked, ranked []*candidate) []*candidate {
	views := make([]rule.Ranked, len(ranked))
	for i, c := range ranked {
		views[i] = rule.Ranked{Item: c.item, Vector: c.vector, Score: c.score}
	}
	page := r.page(q)
	order := page.Arrange(views)
	placed := make([]*candidate, 0, q.req.Count)
	taken := make([]bool, len(ranked))
	for _, i := range order {
		taken[i] = true
		placed = q.pass(placed, ranked[i])
	}
	for i, c := range ranked { // in the place of what did not pass
		if len(placed) < q.req.Count && !taken[i] {
			placed = q.pass(placed, c)
		}
	}
	if len(placed) < q.req.Count && q.req.Backfill == "popular" {
		placed = q.backfill(placed)
	}
	q.trace.mark("rerank", placed)
	q.time("rerank")
	return placed
}

// page says how the request's page is arranged. A search is in the order of
// its matches unless the caller turns the dial.
func (r *Recommender) page(q *asked) rule.Page {
	p := rule.Page{Count: q.req.Count, Diversity: r.Settings.Diversity, Pool: r.Settings.ArrangePool}
	switch q.class {
	case classSearch:
		p.Diversity = 0
	case classSimilar:
		p.Diversity /= 2 // likeness is what was asked for
	}
	if share := r.Settings.CreatorShare; share > 0 && q.class != classSearch {
		p.CreatorCap = max(2, int(share*float64(q.req.Count)))
	}
	if q.class == classPage && len(q.viewer.state.Positive) == 0 {
		p.Diversity = max(p.Diversity, r.Settings.ColdDiversity)
	}
	if q.req.Diversity != nil {
		p.Diversity = *q.req.Diversity
	}
	return p
}

// pass appends a candidate as the shelf has it now, if the guard lets it.
func (q *asked) pass(placed []*candidate, c *candidate) []*candidate {
	c.item = q.shown(c.item)
	if cause := q.guard.Cause(c.item); cause != "" {
		q.trace.drop(c, "guard", string(cause))
		return placed
	}
	return append(placed, c)
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
		for _, c := range more {
			if id := c.Item.Item.ID; len(placed) < q.req.Count && !met[id] {
				met[id] = true
				placed = append(placed, &candidate{
					item: c.Item, origins: []origin{{source: "backfill", share: 1, score: c.Score}},
				})
			}
		}
	}
	return placed
}
