package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"upnext"
)

// flood is some writers who post as many events as they get rid of: each sends
// the next post when the last was answered.
type flood struct {
	writers, batch int
}

// The floods that are measured.
var (
	batched = flood{writers: 4, batch: 100}
	singles = flood{writers: 16, batch: 1}
)

// run returns the events accepted a second, and the slowest way from an event to
// a page of its viewer that knows of it meanwhile.
func (f flood) run(ctx context.Context, p *phase, during time.Duration) (perSecond float64, lag time.Duration) {
	ctx, stop := context.WithTimeout(ctx, during)
	defer stop()
	felt := probes{phase: p}
	var watching, writing sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			felt.note(ctx, felt.event, &felt.events)
		}
	})
	var mu sync.Mutex
	accepted, began := 0, time.Now()
	for range f.writers {
		writing.Go(func() {
			for ctx.Err() == nil {
				n, err := f.post(context.WithoutCancel(ctx), p)
				if err != nil {
					p.failures.add("events: %v", err)
					continue
				}
				mu.Lock()
				accepted += n
				mu.Unlock()
			}
		})
	}
	writing.Wait()
	took := time.Since(began)
	watching.Wait()
	for _, d := range felt.events {
		lag = max(lag, d)
	}
	return float64(accepted) / took.Seconds(), lag
}

// post sends one batch, whose ids are new.
func (f flood) post(ctx context.Context, p *phase) (accepted int, err error) {
	body, err := p.posted(f.batch)
	if err != nil {
		return 0, err
	}
	answer, err := p.server.call(ctx, http.MethodPost, "/v1/events", body)
	if err != nil {
		return 0, err
	}
	var said struct {
		Accepted int `json:"accepted"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return 0, err
	}
	if said.Accepted != f.batch {
		return said.Accepted, fmt.Errorf("%d accepted of %d: %w", said.Accepted, f.batch, upnext.ErrInvalid)
	}
	return said.Accepted, nil
}
