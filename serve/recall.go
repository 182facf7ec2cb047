package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"upnext"
	"upnext/serve/source"
)

// recalled is what one source brought.
type recalled struct {
	name       string
	candidates []source.Candidate
	level      bool // their order says nothing
}

// enough is how many candidates a page wants to choose from, per place.
const enough = 2

// recall asks the sources of the class, all at once. Where what they bring
// would not fill the page they are asked again to look everywhere.
func (r *Recommender) recall(ctx context.Context, q *asked) []recalled {
	found := r.askAll(ctx, q, q.sources, 1)
	if q.class == classRank {
		found = q.given(found)
		q.time("recall")
		return found
	}
	if distinct(found) < enough*q.req.Count && !q.late {
		// In a search or beside an item only what has to do with it belongs on
		// the page: it may stay short. One that failed is not asked again, and none is where
		// one was late: on full processors that would be more work for less of a page.
		q.ask.Wide = true
		q.trace.again(q.isDegraded)
		well := slices.DeleteFunc(slices.Clone(q.sources), func(s source.Source) bool { return q.isDegraded(s.Name()) })
		for _, again := range r.askAll(ctx, q, well, 2) {
			found[slices.IndexFunc(found, func(f recalled) bool { return f.name == again.name })] = again
		}
	}
	q.resume(found)
	if len(q.req.Sources) == 0 { // who chooses the sources chooses what comes
		found = r.promise(q, found)
	}
	q.time("recall")
	return found
}

func (r *Recommender) sourcesOf(class string) []source.Source {
	switch class {
	case classSimilar:
		return r.sources.Similar
	case classSearch:
		return r.sources.Search
	}
	return r.sources.Page
}

// chosen are the sources that a request names: all, where it names none.
func chosen(all []source.Source, names []string) ([]source.Source, error) {
	if len(names) == 0 {
		return all, nil
	}
	list := make([]source.Source, 0, len(names))
	for i, name := range names {
		at := slices.IndexFunc(all, func(s source.Source) bool { return s.Name() == name })
		if at < 0 {
			known := make([]string, len(all))
			for j, s := range all {
				known[j] = s.Name()
			}
			return nil, upnext.Invalid(fmt.Sprintf("sources/%d", i), "%.80q is none of %s", name, strings.Join(known, ", "))
		}
		if !slices.Contains(list, all[at]) {
			list = append(list, all[at])
		}
	}
	return list, nil
}

// distinct counts the items that sources have brought.
func distinct(found []recalled) int {
	most := 0
	for _, f := range found {
		most += len(f.candidates)
	}
	met := make(map[int32]bool, most)
	for _, f := range found {
		for _, c := range f.candidates {
			met[c.Item.Ord] = true
		}
	}
	return len(met)
}

// quota is how many candidates a source is asked for; 0: it is left out.
func (r *Recommender) quota(source string, count int) int {
	if few, ok := r.Settings.Few[source]; ok {
		return few
	}
	quota, ok := r.Settings.Quotas[source]
	if ok && quota == 0 {
		return 0
	}
	return max(quota, 3*count)
}

// asking is a source that is being asked.
type asking struct {
	name   string
	ctx    context.Context
	limit  time.Duration
	quota  int
	answer chan answer[brought]
	trace  *sourceTrace // nil where nobody asks
}

// brought is what a source brings, and after how long.
type brought struct {
	candidates []source.Candidate
	took       time.Duration
}

// askAll asks each source under its deadline. One that fails, is late or lies
// costs its share; the answer says so.
func (r *Recommender) askAll(ctx context.Context, q *asked, sources []source.Source, times int) []recalled {
	// Half of what is left, so that there is time to make a page of what came.
	limit := r.Settings.SourceDeadline
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var asking []asking
	count := q.req.Count
	if q.class == classRank {
		count = 0 // how many are wanted changes no score
	}
	for _, s := range sources {
		if n := r.quota(s.Name(), count) * times; n > 0 {
			asking = append(asking, r.ask(limited, q, s, n, limit))
		}
	}
	found := make([]recalled, 0, len(asking))
	for _, a := range asking {
		candidates, took, err := a.wait()
		var lies error
		if candidates, lies = honest(&q.tenant.shelf, candidates, a.quota); err == nil {
			err = lies
		}
		if err != nil {
			q.late = q.late || errors.Is(err, errLate)
			q.degrade(a.name, err)
			r.meters.degraded.WithLabelValues(a.name).Inc()
			r.seldom.say(a.name, func() { r.Logger.Warn("source failed", "source", a.name, "error", err) })
		}
		a.trace.came(len(candidates), took, err)
		found = append(found, recalled{name: a.name, candidates: candidates})
	}
	return found
}

// ask starts a source, under its own deadline where that is shorter. Its own time
// begins when it does: on full processors it waits for its turn, and is none the
// slower for it.
func (r *Recommender) ask(ctx context.Context, q *asked, s source.Source, n int, limit time.Duration) asking {
	// A late one is not waited for, and must not wait either.
	a := asking{name: s.Name(), ctx: ctx, limit: limit, quota: n, answer: make(chan answer[brought], 2)}
	own, ok := r.Settings.Deadlines[a.name]
	if ok = ok && own < limit; ok {
		a.limit = own
	}
	of := q.ask // as it is now: a late one may be looking when the next look begins
	a.trace = q.trace.watch(q, a.name, n, &of)
	began := time.Now()
	go func() {
		ctx := ctx
		if ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, own)
			defer cancel()
			defer context.AfterFunc(ctx, func() { a.answer <- answer[brought]{err: context.DeadlineExceeded} })()
		}
		candidates, err := safely(ctx, func(ctx context.Context) ([]source.Candidate, error) { return s.Recall(ctx, of, n) })
		a.answer <- answer[brought]{brought{candidates, time.Since(began)}, err}
	}()
	return a
}

// errLate says of a source that its time was over.
var errLate = errors.New("no answer within")

// wait returns what the source brings within its time.
func (a asking) wait() ([]source.Candidate, time.Duration, error) {
	came, inTime := waitFor(a.ctx, a.answer)
	if !inTime || errors.Is(came.err, context.DeadlineExceeded) {
		came.value.took, came.err = a.limit, fmt.Errorf("%w %s", errLate, max(0, a.limit).Round(time.Millisecond)) // nothing was left where the request came late
	}
	return came.value.candidates, came.value.took, came.err
}

func (q *asked) isDegraded(stage string) bool {
	for _, d := range q.degraded {
		if d.Stage == stage {
			return true
		}
	}
	return false
}
