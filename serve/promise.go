package serve

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"upnext"
	"upnext/serve/rule"
	"upnext/serve/shelf"
	"upnext/serve/source"
)

// Bounds of what is looked for on behalf of a slot or a guarantee.
const (
	promisedItems = 20   // that a guarantee brings
	promisedReach = 2000 // of the newest items, through which is looked
)

// promise brings what slots and guarantees promise and no source has brought.
func (r *Recommender) promise(q *asked, found []recalled) []recalled {
	q.favours = q.tenant.traffic.Favours(q.req.Scenario, q.now)
	var items []*shelf.Item
	for i := range r.Settings.Rules.Slots {
		if s := &r.Settings.Rules.Slots[i]; s.Active(q.req.Scenario, q.now) {
			items = append(items, q.slotted(i, s, found)...)
		}
	}
	for _, f := range q.favours {
		items = append(items, q.favoured(f.Guarantee)...)
	}
	if len(items) == 0 {
		return found
	}
	met := map[*shelf.Item]bool{}
	promised := recalled{name: "promoted"}
	for _, it := range items {
		if !met[it] {
			met[it] = true
			promised.candidates = append(promised.candidates, source.Candidate{Item: it, Score: 1})
		}
	}
	return append(found, promised)
}

// slotted finds an item for a slot, where none of the candidates is one.
func (q *asked) slotted(i int, s *rule.Slot, found []recalled) []*shelf.Item {
	take := q.takes(i, s)
	if take == nil {
		return nil
	}
	if s.Item != "" {
		if it := q.tenant.shelf.Item(s.Item); it != nil && take(it) {
			return []*shelf.Item{it}
		}
		return nil
	}
	for _, f := range found {
		for _, c := range f.candidates {
			if take(c.Item) {
				return nil
			}
		}
	}
	return newest(&q.tenant.shelf, 1, take)
}

// favoured are items that a guarantee is about, the newest first.
func (q *asked) favoured(g rule.Guarantee) []*shelf.Item {
	pass := func(it *shelf.Item) bool { return g.Of(it) && q.guard.Pass(it) }
	switch {
	case g.Item != "":
		if it := q.tenant.shelf.Item(g.Item); it != nil && q.guard.Pass(it) {
			return []*shelf.Item{it}
		}
		return nil
	case g.Creator != "":
		items := slices.DeleteFunc(q.tenant.shelf.By(g.Creator), func(it *shelf.Item) bool { return !q.guard.Pass(it) })
		return items[:min(len(items), promisedItems)]
	}
	return newest(&q.tenant.shelf, promisedItems, pass)
}

// newest returns up to n items that pass, of the newest that there are.
func newest(s *shelf.Shelf, n int, pass func(*shelf.Item) bool) []*shelf.Item {
	all := s.Newest()
	var items []*shelf.Item
	for _, it := range all[:min(len(all), promisedReach)] {
		if pass(it) {
			if items = append(items, it); len(items) == n {
				break
			}
		}
	}
	return items
}

// favour raises the scores of what is guaranteed more than it has, and puts the
// candidates in order again.
func (q *asked) favour(ranked []*candidate) {
	raised := false
	for _, f := range q.favours {
		for _, c := range ranked {
			if f.Of(c.item) {
				c.score, raised = rule.Raise(c.score, f.Odds), true
				q.raised(c, f)
			}
		}
	}
	if raised {
		slices.SortStableFunc(ranked, func(a, b *candidate) int {
			return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(string(a.item.Item.ID), string(b.item.Item.ID)))
		})
		q.trace.mark("guarantee", ranked)
	}
}

// raised tells traces, and who reads them, that a guarantee spoke for a candidate.
func (q *asked) raised(c *candidate, f rule.Favour) {
	if q.trace != nil {
		detail := f.Name + " ×" + strconv.FormatFloat(f.Odds, 'f', 2, 64)
		q.trace.note(c, upnext.Decision{Rule: "guarantee", Action: rule.Raised, Detail: detail})
	}
}

// serve counts an answer that is shown, for the guarantees.
func (q *asked) serve(s upnext.Slate) {
	if q.tenant.traffic.Idle() {
		return
	}
	items := make([]*shelf.Item, 0, len(s.Items))
	for _, p := range s.Items {
		if it := q.tenant.shelf.Item(p.Item); it != nil {
			items = append(items, it)
		}
	}
	q.tenant.traffic.Serve(s.Scenario, s.At, items)
}
