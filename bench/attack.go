package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	mostWaiting = 4000 // requests of one load that wait for their answer
	hearsFor    = 10 * time.Second
)

// Attack sends requests at a fixed rate, whether or not earlier ones were
// answered, and hands over each result with its time since it was due: a
// server that falls behind is charged for the requests that had to wait (no
// coordinated omission). It returns when the last answer is in, or was given up
// after 10 s. heard is called by one goroutine, and must not keep it.
func Attack(ctx context.Context, rate float64, during time.Duration, next vegeta.Targeter, heard func(r *vegeta.Result, late time.Duration)) {
	if rate <= 0 || during <= 0 {
		return
	}
	a := vegeta.NewAttacker(vegeta.MaxWorkers(mostWaiting), vegeta.Connections(256), vegeta.Timeout(hearsFor), vegeta.HTTP2(false))
	stop := context.AfterFunc(ctx, func() { a.Stop() })
	defer stop()
	pace := vegeta.ConstantPacer{Freq: int(rate * 1000), Per: 1000 * time.Second}
	began := time.Now()
	for r := range a.Attack(next, pace, during, "") {
		// The pacer lets a whole interval pass before the first.
		due := began.Add(time.Duration(float64(r.Seq+1) / rate * float64(time.Second)))
		heard(r, max(r.Latency, r.Timestamp.Add(r.Latency).Sub(due)))
	}
}

func jsonCall(method, url string, body []byte) vegeta.Target {
	return vegeta.Target{Method: method, URL: url, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
}

// Load is what arrives at a server in a second.
type Load struct {
	Requests float64 `json:"requests"` // recommendations
	Events   float64 `json:"events"`
	Items    float64 `json:"items"` // upserts
}

// mostKinds is how many kinds of failures are told apart.
const mostKinds = 20

// failures counts what went wrong, by what was said.
type failures struct {
	mu sync.Mutex
	by map[string]int
	n  int
}

func (f *failures) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.by == nil {
		f.by = map[string]int{}
	}
	key := fmt.Sprintf(format, args...)
	if len(f.by) >= mostKinds && f.by[key] == 0 {
		key = "other"
	}
	f.by[key]++
}
