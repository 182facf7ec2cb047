package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// openLoop sends requests when they are due, whether or not those before were
// answered, as viewers do, and counts each answer's time from when it was due:
// a server that is behind is charged for it.
type openLoop struct {
	url     string
	viewers int
	client  *http.Client

	mu    sync.Mutex
	heard []reply
}

// reply is what came of one request. Status 0 is no answer in time.
type reply struct {
	due    time.Time
	took   time.Duration
	status int
}

// hearsFor is how long viewers wait for a page: what comes later is no good.
const hearsFor = time.Second

func newOpenLoop(url string, viewers int) *openLoop {
	return &openLoop{url: url, viewers: viewers, client: &http.Client{Timeout: 2 * hearsFor, Transport: &http.Transport{
		MaxIdleConnsPerHost: 2048, DialContext: (&net.Dialer{Timeout: hearsFor}).DialContext,
	}}}
}

// mostUnder bounds the requests that wait for an answer.
const mostUnder = 8000

// run sends rate pages a second, and returns once the last answer is in or given up.
func (l *openLoop) run(ctx context.Context, rate float64, during time.Duration) []reply {
	l.mu.Lock()
	l.heard = make([]reply, 0, int(rate*during.Seconds()))
	l.mu.Unlock()
	places := make(chan struct{}, mostUnder)
	var under sync.WaitGroup
	for began, n := time.Now(), 0; ctx.Err() == nil; n++ {
		due := began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		if due.Sub(began) >= during {
			break
		}
		time.Sleep(time.Until(due))
		places <- struct{}{}
		under.Go(func() {
			status := l.ask(ctx)
			r := reply{due, time.Since(due), status}
			l.mu.Lock()
			l.heard = append(l.heard, r)
			l.mu.Unlock()
			<-places
		})
	}
	under.Wait()
	return l.heard
}

func (l *openLoop) ask(ctx context.Context) int {
	status, _ := l.post(ctx, "/v1/recommend", fmt.Sprintf(`{"user_id":"v%d"}`, rand.IntN(l.viewers)))
	return status
}

func (l *openLoop) post(ctx context.Context, path, body string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

// sums is what a load got.
type sums struct {
	offered, good  float64 // a second; good came with a page, and in time
	refused, other int     // 503, and what was neither
	p50, p99       time.Duration
	refusal        time.Duration // p99 of the time of refusals
}

func sum(heard []reply, during time.Duration) sums {
	var s sums
	var pages, refusals []time.Duration
	good := 0
	for _, r := range heard {
		switch r.status {
		case http.StatusOK:
			pages = append(pages, r.took)
			if r.took <= hearsFor {
				good++
			}
		case http.StatusServiceUnavailable:
			refusals = append(refusals, r.took)
		default:
			s.other++
		}
	}
	s.offered, s.good, s.refused = float64(len(heard))/during.Seconds(), float64(good)/during.Seconds(), len(refusals)
	s.p50, s.p99, s.refusal = quantileOf(pages, .5), quantileOf(pages, .99), quantileOf(refusals, .99)
	return s
}

func quantileOf(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)-1, int(q*float64(len(times))))].Round(100 * time.Microsecond)
}

// String is a row of a table.
func (s sums) String() string {
	return fmt.Sprintf("offered %.0f/s, good %.0f/s, p50 %s, p99 %s, refused %d (p99 %s), other %d", s.offered, s.good, s.p50, s.p99, s.refused, s.refusal, s.other)
}
