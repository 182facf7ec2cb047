package serve

import (
	"cmp"
	"slices"

	"upnext"
)

// ExplainTrace is the upnext.Request.Explain of a request that wants to know how
// its answer came about.
const ExplainTrace = "trace"

// trace is what a traced request remembers of its way. A nil one remembers
// nothing: stages mark it without asking, and pay for it only where it is read.
type trace struct {
	ranks     map[string]map[*candidate]int // from 1, by stage
	decisions map[*candidate][]upnext.Decision
}

func newTrace() *trace {
	return &trace{ranks: map[string]map[*candidate]int{}, decisions: map[*candidate][]upnext.Decision{}}
}

// markFused marks the order in which the sources' fusion has candidates.
func (t *trace) markFused(list []*candidate) {
	if t == nil {
		return
	}
	fused := slices.Clone(list)
	slices.SortStableFunc(fused, func(a, b *candidate) int { return cmp.Compare(b.features[fFusion], a.features[fFusion]) })
	t.mark("blend", fused)
}

// mark keeps the order that a stage leaves its candidates in. What is not in
// it has left the race there.
func (t *trace) mark(stage string, order []*candidate) {
	if t == nil {
		return
	}
	ranks := make(map[*candidate]int, len(order))
	for i, c := range order {
		ranks[c] = i + 1
	}
	t.ranks[stage] = ranks
}

// note keeps what a rule decided about a candidate.
func (t *trace) note(c *candidate, d upnext.Decision) {
	if t != nil {
		t.decisions[c] = append(t.decisions[c], d)
	}
}

// decision is what a rule decided about a candidate.
type decision struct {
	about *candidate
	what  upnext.Decision
}

// decide keeps what rules decided.
func (t *trace) decide(list []decision) {
	for _, d := range list {
		t.note(d.about, d.what)
	}
}

// tell adds what is remembered of a candidate.
func (t *trace) tell(c *candidate, p *upnext.Placed) {
	if t == nil {
		return
	}
	p.Ranks = map[string]int{}
	for stage, ranks := range t.ranks {
		if rank, ok := ranks[c]; ok {
			p.Ranks[stage] = rank
		}
	}
	p.Decisions = t.decisions[c]
}
