package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"upnext/serve/shelf"
	"upnext/serve/source"
)

// recalled is what one source brought.
type recalled struct {
	name       string
	candidates []source.Candidate
}

// enough is how many candidates a page wants to choose from, per place.
const enough = 2

// recall asks the sources of the class, all at once. Where what they bring
// would not fill the page they are asked again to look everywhere.
func (r *Recommender) recall(ctx context.Context, q *asked) []recalled {
	sources := r.sourcesOf(q.class)
	found := r.askAll(ctx, q, sources, 1)
	if distinct(found) < enough*q.req.Count {
		// In a search or beside an item only what has to do with it belongs on
		// the page: it may stay short.
		q.ask.Wide = true
		found = r.askAll(ctx, q, sources, 2)
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

// distinct counts the items that sources have brought.
func distinct(found []recalled) int {
	met := map[*shelf.Item]bool{}
	for _, f := range found {
		for _, c := range f.candidates {
			met[c.Item] = true
		}
	}
	return len(met)
}

// askAll asks each source under its deadline. One that fails or is late costs
// its share; the answer says so.
func (r *Recommender) askAll(ctx context.Context, q *asked, sources []source.Source, times int) []recalled {
	// Half of what is left, so that there is time to make a page of what came.
	limit := r.Settings.SourceDeadline
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type answer struct {
		candidates []source.Candidate
		err        error
	}
	answers := make([]chan answer, len(sources))
	for i, s := range sources {
		answers[i] = make(chan answer, 1) // a late one is not waited for, and must not wait either
		n := max(r.Settings.Quotas[s.Name()], 3*q.req.Count) * times
		go func() {
			candidates, err := recallSafely(limited, s, q.ask, n)
			answers[i] <- answer{candidates, err}
		}()
	}
	found := make([]recalled, 0, len(sources))
	for i, s := range sources {
		var a answer
		select {
		case a = <-answers[i]:
		case <-limited.Done():
			select { // it may have come together with the deadline
			case a = <-answers[i]:
			default:
				a.err = context.DeadlineExceeded
			}
		}
		if errors.Is(a.err, context.DeadlineExceeded) {
			a.err = fmt.Errorf("no answer within %s", limit.Round(time.Millisecond))
		}
		if a.err != nil {
			if times == 1 || !q.isDegraded(s.Name()) {
				q.degrade(s.Name(), a.err)
			}
			r.meters.degraded.WithLabelValues(s.Name()).Inc()
			r.Logger.Warn("source failed", "source", s.Name(), "error", a.err)
		}
		found = append(found, recalled{s.Name(), a.candidates})
	}
	return found
}

// recallSafely keeps a source that panics from taking the process with it.
func recallSafely(ctx context.Context, s source.Source, ask source.Ask, n int) (c []source.Candidate, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	return s.Recall(ctx, ask, n)
}

func (q *asked) isDegraded(stage string) bool {
	for _, d := range q.degraded {
		if d.Stage == stage {
			return true
		}
	}
	return false
}
