package serve

import "upnext/serve/rule"

// variety measures a page against the candidates that it was made of, under the
// names of upnext.Slate.Variety.
func (q *asked) variety(placed, ranked []*candidate) map[string]float64 {
	takers, viewers := q.tenant.crowd.Takers(q.now, ordsOf(placed))
	v := rule.VarietyOf(viewsOf(placed), viewsOf(ranked), takers, viewers)
	return map[string]float64{"diversity": v.Diversity, "coverage": v.Coverage, "novelty": v.Novelty}
}

// viewsOf shows candidates as rules see them.
func viewsOf(list []*candidate) []rule.Ranked {
	views := make([]rule.Ranked, len(list))
	for i, c := range list {
		views[i] = rule.Ranked{Item: c.item, Vector: c.vector, Score: c.score}
	}
	return views
}
