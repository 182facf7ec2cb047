package serve

import (
	"context"
	"fmt"

	"upnext"
	"upnext/serve/rule"
)

// Why says why an item is not on a page, or that it is there.
type Why struct {
	Item       upnext.ItemID
	Rank       int    // on the page, from 1; 0 where it is not there
	Stage      Stage  // that it did not pass; StagePage where it is there
	Rule       string // what kept it there: a rule.Cause, a rule of the page, or one of the Why… below
	Detail     string
	Candidate  *upnext.Placed // what the trace tells of it; nil where no source brought it
	Candidates int            // among how many its rank by score is
	Slate      upnext.Slate   // the answer that was made to find out; it is not recorded
}

// Stage is a part of the way to a page.
type Stage string

// The stages, in the order in which they are looked at.
const (
	StagePage   Stage = "page"   // it is there
	StageGuard  Stage = "guard"  // it may not be shown
	StageRecall Stage = "recall" // no source brought it
	StageRerank Stage = "rerank" // a rule of the page dropped it
	StageRank   Stage = "rank"   // others were worth more
)

// What keeps items from pages beside the guard and the page's rules.
const (
	WhyNoVector    = "no_vector"    // it is not in the index yet, and nothing else brought it
	WhyNotRecalled = "not_recalled" // no source had it among its best
	WhyBelow       = "below"        // its rank is below the page
)

// WhyNot answers a request afresh, as Recommend does, and says what became of one
// item on the way: not by rules of its own, but by what the answer's trace has.
// returned is what was returned before under the same recommendation.
func (r *Recommender) WhyNot(ctx context.Context, t upnext.Tenant, req upnext.Request, item upnext.ItemID, returned ...upnext.ItemID) (Why, error) {
	fail := func(err error) (Why, error) { return Why{}, fmt.Errorf("why not %s: %w", item, err) }
	req.Explain, req.Unrecorded = ExplainTrace, true
	q, slate, err := r.answer(ctx, t, req, setOf(returned))
	if err != nil {
		return fail(err)
	}
	why := Why{Item: item, Candidates: len(q.trace.ranks["rank"]), Slate: slate}
	for c, id := range q.trace.ids {
		if id == item {
			p := q.trace.candidate(q, c, q.trace.ranks["rank"][c])
			why.Candidate = &p
		}
	}
	for _, p := range slate.Items {
		if p.Item == item { // what fills up has never been a candidate
			why.Stage, why.Rank, why.Candidate = StagePage, p.Rank, &p
			return why, nil
		}
	}
	if cause := q.guard.Cause(q.tenant.shelf.Item(item)); cause != "" {
		why.Stage, why.Rule = StageGuard, string(cause)
		return why, nil
	}
	if why.Candidate == nil {
		why.Stage, why.Rule = StageRecall, WhyNotRecalled
		if q.ask.Index != nil {
			ctx, cancel := context.WithTimeout(ctx, r.Settings.SourceDeadline)
			defer cancel()
			if v, err := q.ask.Index.Vectors(ctx, item); err == nil && v[0] == nil {
				why.Rule = WhyNoVector
			}
		}
		return why, nil
	}
	why.Stage, why.Rule = StageRank, WhyBelow
	why.Detail = fmt.Sprintf("rank %d of %d by score, for %d places", why.Candidate.Rank, why.Candidates, q.req.Count)
	for _, d := range why.Candidate.Decisions {
		if d.Action == rule.Dropped {
			why.Stage, why.Rule, why.Detail = StageRerank, d.Rule, d.Detail
		}
	}
	return why, nil
}
