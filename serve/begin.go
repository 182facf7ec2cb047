package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"upnext"
	"upnext/filter"
	"upnext/index"
	"upnext/learn/bundle"
	"upnext/serve/rule"
	"upnext/serve/shelf"
	"upnext/serve/source"
)

// The classes of requests, each with its sources and its blend.
const (
	classPage    = "page"
	classSimilar = "similar"
	classSearch  = "search"
	classRank    = "rank" // of the caller's own candidates, as a page would rank them
)

// asked is a request on its way, with all that was read for it.
type asked struct {
	req     upnext.Request // with its defaults
	class   string
	sources []source.Source // of the class, or those among them that were asked for
	tenant  *tenant
	viewer  known
	guard   rule.Guard
	ask     source.Ask
	index   patient // ask.Index, where that is not nil
	boosts  []boost

	now        time.Time
	collection string
	bundle     *bundle.Bundle // one for the whole request; nil where there is none
	started    time.Time      // by the wall clock, for timings
	lap        time.Time
	timings    map[string]time.Duration
	copied     copied             // the candidates' vectors, until the answer is made
	mixed      *mixing            // the candidates, so long
	languages  map[string]float64 // languageFit by language, as far as it was asked for
	degraded   []upnext.Degraded
	late       bool          // a source was
	favours    []rule.Favour // what traffic guarantees ask for
	known      []rule.Known  // what must not come again under another id
	trace      *trace        // nil where nobody asks how the answer came about
}

// boost is a parsed upnext.Boost.
type boost struct {
	when     *filter.Filter
	multiply float64
}

// begin checks a request and reads what it needs; what was returned under the
// same recommendation before is held back. Its errors are the caller's
// fault (ErrInvalid, ErrNotFound) or mean that nothing can be served.
func (r *Recommender) begin(ctx context.Context, t upnext.Tenant, req upnext.Request, returned map[upnext.ItemID]bool) (*asked, error) {
	if err := req.Validate(); err != nil {
		return nil, err
	}
	started := arrivedAt(ctx)
	q := &asked{
		req: req, class: classOf(req), now: r.Now(),
		started: started, lap: started, timings: map[string]time.Duration{}, languages: map[string]float64{},
	}
	q.defaults(r.Settings)
	var err error
	if q.sources, err = chosen(r.sourcesOf(q.class), req.Sources); err != nil {
		return nil, err
	}
	if q.req.Explain == ExplainTrace {
		q.trace = newTrace()
	}
	ctx, cancel := q.within(ctx)
	defer cancel()
	if q.tenant, err = r.open(ctx, t); err != nil {
		return nil, unavailable(err)
	}
	idx, err := r.active(ctx, q)
	if err != nil {
		return nil, err
	}
	if q.req.Viewer, err = r.viewers.whose(ctx, t, req.Viewer); err != nil {
		return nil, err
	}
	q.viewer, err = r.viewers.get(ctx, q.tenant, q.req.Viewer, q.collection, idx)
	switch {
	case errors.Is(err, errNoInterests):
		q.degrade("interests", err)
		err = nil // a page without their taste is better than none
	case err != nil:
		return nil, err
	}
	if q.viewer.stale != nil {
		q.degrade("viewer", q.viewer.stale)
	}
	if err := r.arm(q); err != nil {
		return nil, err
	}
	r.viewers.asksFrom(viewerKey{t, q.req.Viewer}, q.req.Region)
	q.guard.Returned, q.guard.Served = returned, r.served(ctx, q)
	q.ask = source.Ask{
		Now: q.now, Region: q.req.Region, Viewer: q.viewer.state, Topics: q.tenant.shelf.Leanings(q.viewer.state.ToTopic), Shelf: &q.tenant.shelf, Crowd: q.tenant.crowd, Index: idx,
		Filter: q.guard.Filter, Vars: q.guard.Vars, Held: len(returned) + len(q.guard.Served),
		Strategy: q.req.LikeStrategy, Query: q.req.Query,
	}
	q.guardSources()
	switch q.class {
	case classPage, classRank:
		r.recallSearches(ctx, q)
		q.ask.Visit = q.visit(r.Settings.Taste)
		if q.class == classPage {
			q.ask.Chances = r.chancesFor(q)
		}
		if q.bundle = q.tenant.bundle.Load(); q.bundle != nil {
			q.ask.Learned = r.viewers.ask(q.tenant, q.req.Viewer, q.bundle, q.viewer.state)
		}
	case classSimilar:
		err = r.seeds(ctx, q)
	case classSearch:
		r.readQuery(ctx, q)
	}
	q.time("viewer")
	return q, err
}

// release gives back what the answer was made in, once it is made.
func (q *asked) release() {
	q.copied.release()
	q.mixed.release()
	q.copied, q.mixed = copied{}, nil
}

func classOf(req upnext.Request) string {
	switch {
	case req.Query != "":
		return classSearch
	case len(req.Candidates) > 0:
		return classRank
	case len(req.Like) > 0:
		return classSimilar
	}
	return classPage
}

// defaults fills in what the caller left open.
func (q *asked) defaults(set Settings) {
	req := &q.req
	if req.Scenario == "" {
		req.Scenario = map[string]string{classPage: "home", classSimilar: "similar", classSearch: "search", classRank: "rank"}[q.class]
	}
	if req.Count == 0 {
		req.Count = cmp.Or(len(req.Candidates), upnext.DefaultCount)
	}
	if req.Explain == "" {
		req.Explain = "reasons"
	}
	if req.Deadline == 0 {
		req.Deadline = set.Deadline
	}
	if req.Exclude.Seen == "" {
		req.Exclude.Seen = upnext.SeenAll
		if q.class == classSearch || q.class == classRank { // who names items means them
			req.Exclude.Seen = upnext.SeenNone
		}
	}
}

// active finds the collection that requests are answered from. A tenant that
// has none yet is answered without vectors.
func (r *Recommender) active(ctx context.Context, q *asked) (index.Index, error) {
	limit := r.Settings.SourceDeadline
	if q.req.Deadline > 0 { // a profile has none
		limit = min(limit, q.req.Deadline/4)
	}
	found, err := ask(ctx, q.tenant.active, limit, func(ctx context.Context) (c collection, err error) {
		c.name, c.Index, err = r.Collections.Active(ctx, q.tenant.name)
		return c, err
	})
	switch {
	case err == nil:
		q.collection = found.name
		q.index = patient{found.Index, q.tenant.index, limit}
		return q.index, nil
	case errors.Is(err, upnext.ErrNotFound):
		if q.tenant.shelf.Len() > 0 {
			q.degrade("index", errors.New("no collection is promoted yet"))
		}
		return nil, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("open the collection: %w: %w", err, upnext.ErrUnavailable)
	}
	q.degrade("index", err)
	return nil, nil
}

// arm makes the guard out of the request and the viewer, and parses the
// request's expressions.
func (r *Recommender) arm(q *asked) error {
	req, told := &q.req, q.viewer.told
	if req.Locale == "" {
		req.Locale = told.Locale
	}
	if req.Region == "" {
		req.Region = told.Region
	}
	f, err := q.tenant.filter(req.Filter, filter.Parse, "filter")
	if err != nil {
		return err
	}
	q.boosts = make([]boost, len(req.Boosts))
	for i, b := range req.Boosts {
		q.boosts[i].multiply = b.Multiply
		if q.boosts[i].when, err = q.tenant.filter(b.If, filter.ParseBoost, fmt.Sprintf("boosts/%d/if", i)); err != nil {
			return err
		}
	}
	g := &q.guard
	*g = rule.Guard{
		Now: q.now, Region: req.Region, Age: r.Settings.UnknownAge, Viewer: q.viewer.state,
		Safety: &r.Settings.Rules.Safety, Scenario: req.Scenario,
		Items: map[upnext.ItemID]bool{}, Creators: map[string]bool{},
		Seen: req.Exclude.Seen, Filter: f, Vars: q.vars(),
		Lapsed: func(id upnext.ItemID) bool { return q.tenant.beats.lapsed(id, q.now) },
	}
	if told.BirthYear > 0 { // as if the birthday were the last day of the year
		g.Age = max(0, q.now.Year()-told.BirthYear-1)
	}
	for _, list := range [][]upnext.ItemID{req.Exclude.Items, req.Like, req.Unlike} {
		for _, id := range list {
			g.Items[id] = true
		}
	}
	for _, c := range req.Exclude.Creators {
		g.Creators[c] = true
	}
	if req.Exclude.SeenWithin > 0 {
		g.SeenSince = q.now.Add(-req.Exclude.SeenWithin)
	}
	if g.Seen == upnext.SeenSession {
		g.SeenInVisit = map[upnext.ItemID]bool{}
		for _, a := range q.viewer.acts {
			if a.Session == req.Session && !a.At.Before(g.SeenSince) {
				g.SeenInVisit[a.Item] = true
			}
		}
	}
	return nil
}

// vars are what user.* and context.* mean in the request's expressions.
func (q *asked) vars() filter.Vars {
	user, about := maps.Clone(q.viewer.told.Attributes), maps.Clone(q.req.Context)
	if user == nil {
		user = map[string]any{}
	}
	if about == nil {
		about = map[string]any{}
	}
	say := func(m map[string]any, name, value string) {
		if value != "" {
			m[name] = value
		}
	}
	say(user, "id", q.req.Viewer.ID)
	say(user, "locale", q.viewer.told.Locale)
	say(user, "region", q.viewer.told.Region)
	if y := q.viewer.told.BirthYear; y > 0 {
		user["birth_year"] = float64(y)
	}
	say(about, "locale", q.req.Locale)
	say(about, "region", q.req.Region)
	say(about, "device", q.req.Device)
	return filter.Vars{Now: q.now, User: user, Context: about}
}

// seeds reads the items that similar ones are wanted for.
func (r *Recommender) seeds(ctx context.Context, q *asked) error {
	q.ask.Like = q.tenant.shelf.Items(q.req.Like)
	for i, it := range q.ask.Like {
		if it == nil {
			return fmt.Errorf("item %s: %w", q.req.Like[i], upnext.ErrNotFound)
		}
	}
	for i, it := range q.tenant.shelf.Items(q.req.Unlike) {
		if it == nil {
			return fmt.Errorf("item %s: %w", q.req.Unlike[i], upnext.ErrNotFound)
		}
	}
	q.ask.Likes = make([][]float32, len(q.req.Like))
	if q.ask.Index == nil {
		return nil
	}
	vectors, err := q.ask.Index.Vectors(ctx, append(q.req.Like[:len(q.req.Like):len(q.req.Like)], q.req.Unlike...)...)
	if err != nil {
		q.degrade("similar", err)
		return nil
	}
	copy(q.ask.Likes, vectors)
	for i, v := range q.ask.Likes {
		if v == nil {
			q.degrade("similar", fmt.Errorf("item %s is not in the index yet", q.req.Like[i]))
		}
	}
	for _, v := range vectors[len(q.req.Like):] {
		if v != nil {
			q.ask.Unlikes = append(q.ask.Unlikes, v)
		}
	}
	return nil
}

// degrade notes that the answer goes without a part.
func (q *asked) degrade(stage string, err error) {
	q.degraded = append(q.degraded, upnext.Degraded{Stage: stage, Reason: err.Error()})
}

// time notes how long a stage took: since the last one.
func (q *asked) time(stage string) {
	now := time.Now()
	q.timings[stage] = now.Sub(q.lap)
	q.lap = now
}

// shown looks an item up again: what the shelf says now is what counts.
func (q *asked) shown(it *shelf.Item) *shelf.Item { return q.tenant.shelf.Item(it.Item.ID) }
