package trials

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"upnext"
	"upnext/learn"
	"upnext/learn/relevance"
	"upnext/learn/split"
	"upnext/train/datasets"
)

// Served measures a whole server through its HTTP API by protocol F: MovieLens
// 100K's films are put as items, all ratings but each viewer's ten newest are
// sent as rate events, models are trained by the server itself, and each of the
// 901 viewers is recommended twenty films that they have not rated. Then the
// pages are asked for again, over several connections at once.
type Served struct {
	URL         string // of a server without items or events
	Seed        uint64 // of the table alone: the server has its own
	Connections []int  // at once, for requests a second; none is not measured
	Seconds     int    // that each of them is measured for
	Watch       func(model string, s learn.Step)
}

// ServedProtocol is the name that Served goes by.
const ServedProtocol = "ml100k-http"

// The beginnings of the columns of answers a second and of the share of them that
// were degraded, by connections at once.
const (
	requestsAt = "requests/s at "
	degradedAt = "degraded at "
)

// asServed are the ways in which the server is asked. The first is before models
// are trained.
var asServed = []struct {
	name    string
	trained bool
	body    map[string]any
}{
	{name: "upnext over HTTP, before models are trained"},
	{name: "upnext over HTTP", trained: true},
	{name: "upnext over HTTP, nothing explored", trained: true, body: map[string]any{"explore": 0}},
	{name: "upnext over HTTP, diversity 0", trained: true, body: map[string]any{"diversity": 0}},
}

// Run fills the server and measures it.
func (s Served) Run(ctx context.Context, dir string) (Table, error) {
	fail := func(err error) (Table, error) { return Table{}, fmt.Errorf("evaluate %s: %w", ServedProtocol, err) }
	films, err := datasets.RatedFilms(dir)
	if err != nil {
		return fail(err)
	}
	ratings, err := datasets.ML100K(dir)
	if err != nil {
		return fail(err)
	}
	log, cases, _ := datasets.Liked(ratings, heldOut)
	c := serverClient{base: strings.TrimRight(s.URL, "/"), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	if err := c.fill(ctx, films, ratings); err != nil {
		return fail(err)
	}
	table := Table{Protocol: ServedProtocol, Items: log.Items, Cases: len(cases), Seed: s.Seed, columns: []string{"hr@10", "coverage@20", "ndcg@20", "recall@20"}}
	grades := newGrades(sitting{log, cases})
	trained := false
	for _, way := range asServed {
		if way.trained && !trained {
			if err := c.train(ctx); err != nil {
				return fail(err)
			}
			trained = true
		}
		row, err := s.ask(ctx, c, way.name, way.body, cases, grades)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", way.name, err))
		}
		table.Rows = append(table.Rows, row)
	}
	if err := s.load(ctx, c, cases, &table.Rows[1]); err != nil {
		return fail(err)
	}
	table.Rows = append(table.Rows, published("ml100k")...)
	table.sort()
	return table, nil
}

// ask has every case answered and grades the answers.
func (s Served) ask(ctx context.Context, c serverClient, name string, body map[string]any, cases []split.Case, g grades) (Row, error) {
	row := Row{Model: name, Values: map[string]float64{"seeds": 1}}
	exposure := make(relevance.Exposure, len(g.counts))
	began := time.Now()
	for i, q := range cases {
		list, lacking, err := c.page(ctx, q.Viewer, body)
		for range 5 { // a source may have been late where others have the processors
			if err != nil || lacking == "" {
				break
			}
			list, lacking, err = c.page(ctx, q.Viewer, body)
		}
		if err == nil && lacking != "" {
			err = fmt.Errorf("viewer %d: degraded: %s: %w", q.Viewer+1, lacking, upnext.ErrUnavailable)
		}
		if err != nil {
			return Row{Model: name}, err
		}
		for _, item := range list {
			if item < 0 || int(item) >= len(exposure) || slices.Contains(q.History.Items, item) || slices.Contains(q.Seen, item) {
				return Row{Model: name}, fmt.Errorf("viewer %d was recommended film %d, which is not in the set or was rated: %w", q.Viewer+1, item+1, upnext.ErrInvalid)
			}
		}
		exposure.Show(list)
		r := relevance.Ranked(list, q.Targets)
		r.Candidates = len(exposure) - len(q.History.Items) - len(q.Seen)
		for _, m := range g.metrics {
			row.Values[m.name] += m.of(r) / float64(len(cases))
		}
		if s.Watch != nil {
			s.Watch(name, learn.Step{Phase: "ask", Done: i + 1, Total: len(cases)})
		}
	}
	row.Values["score_ms"] = time.Since(began).Seconds() * 1000 / float64(len(cases))
	row.Values["coverage@20"], row.Values["gini@20"], row.Values["entropy@20"] = exposure.Coverage(), exposure.Gini(), exposure.Entropy()
	return row, nil
}

// load asks for pages over so many connections, each asking again when it is
// answered, and counts the answers, and the share of them that had to do without
// something. One that fails ends the measuring.
func (s Served) load(ctx context.Context, c serverClient, cases []split.Case, row *Row) error {
	for _, n := range s.Connections {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Seconds)*time.Second)
		var answered, degraded, next atomic.Int64
		var wg sync.WaitGroup
		failed := make(chan error, n)
		began := time.Now()
		for range n {
			wg.Go(func() {
				for ctx.Err() == nil {
					_, lacking, err := c.page(ctx, cases[int(next.Add(1))%len(cases)].Viewer, nil)
					switch {
					case err == nil:
						answered.Add(1)
						if lacking != "" {
							degraded.Add(1)
						}
					case ctx.Err() == nil:
						failed <- err
						cancel()
					}
				}
			})
		}
		wg.Wait()
		took := time.Since(began).Seconds()
		cancel()
		select {
		case err := <-failed:
			return fmt.Errorf("%d connections, after %d answers: %w", n, answered.Load(), err)
		default:
		}
		row.Values[requestsAt+strconv.Itoa(n)] = float64(answered.Load()) / took
		row.Values[degradedAt+strconv.Itoa(n)] = float64(degraded.Load()) / float64(max(1, answered.Load()))
	}
	return nil
}
