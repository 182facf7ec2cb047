package serve

import (
	"upnext"
	"upnext/serve/rule"
	"upnext/serve/source"
)

// givenSource is the name in answers of the caller's own candidates.
const givenSource = "given"

// given makes of what sources brought the candidates of the caller: what else they
// brought is left out, and those that none of them brought stand behind with what
// they are alone. The caller's order says nothing of their worth.
func (q *asked) given(found []recalled) []recalled {
	wanted := make(map[int32]bool, len(q.req.Candidates))
	all := recalled{name: givenSource, level: true}
	for _, it := range q.tenant.shelf.Items(q.req.Candidates) {
		if it != nil && q.guard.Pass(it) {
			wanted[it.Ord] = true
			all.candidates = append(all.candidates, source.Candidate{Item: it})
		}
	}
	for i, f := range found {
		kept := make([]source.Candidate, 0, len(f.candidates))
		for _, c := range f.candidates {
			if wanted[c.Item.Ord] {
				kept = append(kept, c)
			}
		}
		found[i].candidates = kept
	}
	return append(found, all)
}

// refused says why the guard keeps candidates of the caller from the answer; those
// that came before are no news.
func (q *asked) refused() []upnext.Refusal {
	var list []upnext.Refusal
	for i, it := range q.tenant.shelf.Items(q.req.Candidates) {
		if cause := q.guard.Cause(it); cause != "" && cause != rule.Returned {
			list = append(list, upnext.Refusal{Item: q.req.Candidates[i], Cause: string(cause)})
		}
	}
	return list
}

// inOrder is the page of a caller's own candidates: by score, without the rules of
// a page, which would take some away that were asked for. The guard holds for them.
func (q *asked) inOrder(ranked []*candidate) (placed []*candidate) {
	for _, c := range ranked {
		if len(placed) < q.req.Count && !q.turned(c) {
			placed = append(placed, c)
		}
	}
	return placed
}
