package endpoint

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"upnext"
	"upnext/embed"
)

// budget bounds retries by the number of batches, so that servers that all fail
// get a tenth more requests than usual and not four times as many.
type budget struct {
	mu   sync.Mutex
	left float64
}

func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(budgetSize, b.left+budgetShare)
}

func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// attempt embeds one batch: at the least loaded server, and after a failure that
// may pass, again, elsewhere where there is another. A broken answer is asked for
// once more. Its error is the context's, a refusal, or an ErrUnavailable.
func (c *Client) attempt(ctx context.Context, inputs []embed.Input) ([][]float32, error) {
	c.budget.earn()
	c.meters.batch.Observe(float64(len(inputs)))
	failed := map[*server]bool{}
	broken := 0
	for n := 1; ; n++ {
		s, done, err := c.find(ctx, failed)
		if err != nil {
			return nil, err
		}
		vectors, err := c.call(ctx, s, inputs)
		done(err)
		if err == nil {
			return vectors, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !failing(err) && !busy(err) {
			return nil, err // a refusal, or a key, a name or an address that is wrong
		}
		why := kind(err)
		if why == "broken" {
			broken++
		}
		if n >= c.Attempts || broken > 1 {
			return nil, fmt.Errorf("after %d attempts: %w", n, unavailable(err))
		}
		if !c.budget.spend() {
			return nil, fmt.Errorf("no retry, too many others have failed: %w", unavailable(err))
		}
		c.meters.retries.WithLabelValues(s.shown, why).Inc()
		c.Logger.Debug("embedding endpoint failed", "endpoint", s.shown, "attempt", n, "err", err)
		failed[s] = true
		if err := sleep(ctx, pause(n)); err != nil {
			return nil, err
		}
	}
}

// find waits for a server that may be called.
func (c *Client) find(ctx context.Context, failed map[*server]bool) (*server, func(error), error) {
	for {
		s, done, wait, err := c.fleet.take(failed)
		if s != nil || err != nil {
			return s, done, err
		}
		if wait > longestWait {
			return nil, nil, fmt.Errorf("embedding endpoint %s asks to be left alone for %v: %w",
				Shown(c.Endpoints[0]), wait.Round(time.Second), upnext.ErrUnavailable)
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, nil, err
		}
	}
}

// call asks one server once and checks the answer.
func (c *Client) call(ctx context.Context, s *server, inputs []embed.Input) ([][]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	began := time.Now()
	reply, err := c.Engine.Call(ctx, s.base, inputs)
	if err == nil {
		if err = check(reply.Vectors, len(inputs), c.model.Dim); err != nil {
			err = fmt.Errorf("answer of %s: %w", s.shown, err)
		}
	}
	outcome := "ok"
	if err != nil {
		outcome = kind(err)
	}
	c.meters.calls.WithLabelValues(s.shown, outcome).Observe(time.Since(began).Seconds())
	c.meters.tokens.WithLabelValues(s.shown).Add(float64(max(0, reply.Tokens)))
	if err != nil {
		return nil, err
	}
	return reply.Vectors, nil
}

// kind names a failure for the metrics.
func kind(err error) string {
	var status *StatusError
	var network net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &status) && status.refusal():
		return "refused"
	case busy(err):
		return "busy"
	case errors.As(err, &status):
		return "status"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.As(err, &op):
		return "network"
	}
	return "broken"
}

func unavailable(err error) error {
	if errors.Is(err, upnext.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
}

// pause is how long to wait after the nth failure: anything up to a bound that
// doubles, so that callers that failed together do not come back together.
func pause(n int) time.Duration {
	most := firstPause << min(n-1, 5)
	return most/2 + rand.N(most/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
