package serve

import (
	"cmp"
	"slices"

	"upnext/serve/rule"
)

// ExplainTrace is the upnext.Request.Explain of a request that wants to know how
// its answer came about.
const ExplainTrace = "trace"

// trace is what a traced request remembers of its way. A nil one remembers
// nothing: stages mark it without asking, and pay for it only where it is read.
type trace struct {
	stages []string                      // in the order in which they were passed
	ranks  map[string]map[*candidate]int // from 1, by stage
}

func newTrace() *trace { return &trace{ranks: map[string]map[*candidate]int{}} }

// follow gives each candidate a trail for rules to note on, and marks the order
// in which the sources' fusion has them.
func (t *trace) follow(list []*candidate) {
	if t == nil {
		return
	}
	for _, c := range list {
		c.trail = &rule.Trail{}
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
	if _, again := t.ranks[stage]; !again {
		t.stages = append(t.stages, stage)
	}
	t.ranks[stage] = ranks
}
