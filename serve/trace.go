package serve

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"upnext"
	"upnext/serve/rule"
	"upnext/serve/shelf"
	"upnext/serve/source"
)

// ExplainTrace is the upnext.Request.Explain of a request that wants to know how
// its answer came about.
const ExplainTrace = "trace"

// mostTraced bounds the candidates of a trace: a page of 200 has thousands.
const mostTraced = 1000

// trace is what a traced request remembers of its way. A nil one remembers
// nothing: stages mark it without asking, and pay for it only where it is read.
type trace struct {
	sources   []*sourceTrace
	ids       map[*candidate]upnext.ItemID  // also of those that went from the catalogue meanwhile
	ranks     map[string]map[*candidate]int // from 1, by stage
	decisions map[*candidate][]upnext.Decision
}

func newTrace() *trace {
	return &trace{
		ids: map[*candidate]upnext.ItemID{}, ranks: map[string]map[*candidate]int{}, decisions: map[*candidate][]upnext.Decision{},
	}
}

// sourceTrace is what is remembered of one source. A late one may still be
// looking when it is read.
type sourceTrace struct {
	mu sync.Mutex
	upnext.Brought
}

// watch begins a source's trace: what it meets that the guard turns away is
// counted by cause.
func (t *trace) watch(q *asked, name string, quota int, of *source.Ask) *sourceTrace {
	if t == nil {
		return nil
	}
	s := &sourceTrace{Brought: upnext.Brought{Source: name, Asked: quota}}
	t.sources = append(t.sources, s)
	lets := func(pass func(*shelf.Item) bool, guard rule.Guard) func(*shelf.Item) bool {
		return func(it *shelf.Item) bool {
			ok := pass(it)
			if cause := guard.Cause(it); !ok && cause != "" {
				s.turn(cause)
			}
			return ok
		}
	}
	resume := q.guard
	resume.Seen = upnext.SeenNone
	of.Pass, of.Resume = lets(of.Pass, q.guard), lets(of.Resume, resume)
	return s
}

func (s *sourceTrace) turn(cause rule.Cause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Turned == nil {
		s.Turned = map[string]int{}
	}
	s.Turned[string(cause)]++
}

// came notes what the source brought in the end.
func (s *sourceTrace) came(n int, took time.Duration, err error) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Found, s.Took = n, took; err != nil {
		s.Error = err.Error()
	}
}

// told copies what is known by now.
func (s *sourceTrace) told() upnext.Brought {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.Brought
	if b.Turned != nil {
		b.Turned = make(map[string]int, len(s.Turned))
		for cause, n := range s.Turned {
			b.Turned[cause] = n
		}
	}
	return b
}

// again forgets the sources, but for those that have failed: the others are asked
// anew, and what they brought is not used.
func (t *trace) again(failed func(source string) bool) {
	if t != nil {
		t.sources = slices.DeleteFunc(t.sources, func(s *sourceTrace) bool { return !failed(s.Source) })
	}
}

// markFused marks the order in which the sources' fusion has candidates.
func (t *trace) markFused(list []*candidate) {
	if t == nil {
		return
	}
	for _, c := range list {
		t.ids[c] = c.item.Item.ID
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
	if t != nil && !slices.Contains(t.decisions[c], d) { // a page may be arranged more than once
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
	for _, o := range c.origins {
		from := upnext.ItemID("")
		if o.from != nil {
			from = o.from.Item.ID
		}
		p.Origins = append(p.Origins, upnext.Origin{Source: o.source, Rank: o.rank, Score: o.score, Share: o.share, From: from, About: o.about})
	}
}

// whole is all that is remembered of the way to a page: every source, what is on
// the page, and the best of what is not.
func (t *trace) whole(q *asked, placed, ranked []*candidate) *upnext.Trace {
	if t == nil {
		return nil
	}
	out := &upnext.Trace{Sources: make([]upnext.Brought, len(t.sources))}
	for i, s := range t.sources {
		out.Sources[i] = s.told()
	}
	shown := make(map[*candidate]bool, len(placed))
	for _, c := range placed {
		shown[c] = true
	}
	room := mostTraced - len(placed)
	for i, c := range ranked {
		switch {
		case shown[c]:
			delete(shown, c)
		case room == 0:
			out.Omitted++
			continue
		default:
			room--
		}
		out.Candidates = append(out.Candidates, t.candidate(q, c, i+1))
	}
	for _, c := range placed { // what fills up has never been ranked
		if shown[c] {
			out.Candidates = append(out.Candidates, t.candidate(q, c, 0))
		}
	}
	return out
}

func (t *trace) candidate(q *asked, c *candidate, rank int) upnext.Placed {
	if c.item != nil {
		return q.place(c, rank)
	}
	p := upnext.Placed{Item: t.ids[c], Rank: rank, Score: c.score, Features: featureMap(c.features)} // it went meanwhile
	t.tell(c, &p)
	return p
}
