package endpoint

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"upnext/embed"
)

// call is one Embed on its way.
type call struct {
	ctx  context.Context
	done chan struct{} // closed when nothing is left, or all has failed

	mu      sync.Mutex
	left    int
	over    bool
	vectors [][]float32
	failed  map[int]error
	err     error // of the whole
}

// entry is one input of a call.
type entry struct {
	call   *call
	at     int
	input  embed.Input
	queued time.Time
}

func (e *entry) start() { e.queued = time.Now() }

// give hands a vector, or why there is none, to the call.
func (e *entry) give(vector []float32, refused error) {
	c := e.call
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	if refused != nil {
		c.failed[e.at] = refused
	} else {
		c.vectors[e.at] = vector
	}
	if c.left--; c.left == 0 {
		c.over = true
		close(c.done)
	}
}

// fail ends the whole call.
func (e *entry) fail(err error) {
	c := e.call
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.err, c.over = err, true
		close(c.done)
	}
}

// unwanted says that nobody waits for the answer.
func (e *entry) unwanted() bool {
	e.call.mu.Lock()
	defer e.call.mu.Unlock()
	return e.call.over || e.call.ctx.Err() != nil
}

// size is about how many bytes of a request the entry takes.
func (e *entry) size() int { return len(e.input.Text) + len(e.input.Image) }

// gather makes batches of what is queued, until the Client is closed. It takes
// no more while all places in flight are used: callers then wait in Embed, which
// is what bounds the memory.
func (c *Client) gather() {
	var over *entry // did not fit into the last batch
	for {
		select {
		case c.slots <- struct{}{}:
		case <-c.ctx.Done():
			return
		}
		batch, next := c.batch(over)
		over = next
		if len(batch) == 0 { // closed
			return
		}
		c.work.Go(func() {
			defer func() { <-c.slots }()
			c.run(batch)
		})
	}
}

// batch waits for a first entry, then up to MaxWait for more that fit. It
// returns the one that fitted no more, too.
func (c *Client) batch(first *entry) (batch []*entry, over *entry) {
	for first == nil || first.unwanted() {
		select {
		case first = <-c.queue:
		case <-c.ctx.Done():
			return nil, nil
		}
	}
	batch = []*entry{first}
	bytes := first.size()
	patience := time.NewTimer(c.MaxWait)
	defer patience.Stop()
	for len(batch) < c.MaxBatch {
		select {
		case e := <-c.queue:
			if e.unwanted() {
				continue
			}
			if bytes += e.size(); bytes > c.MaxBytes {
				return batch, e
			}
			batch = append(batch, e)
		case <-patience.C:
			return batch, nil
		case <-c.ctx.Done():
			return batch, nil // run fails it
		}
	}
	return batch, nil
}

// run embeds a batch and hands out the answers. It gives up when the Client is
// closed or when none of the callers waits any more.
func (c *Client) run(batch []*entry) {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	waiting := map[*call]bool{}
	inputs := make([]embed.Input, len(batch))
	for i, e := range batch {
		inputs[i], waiting[e.call] = e.input, true
		c.meters.queued.Observe(time.Since(e.queued).Seconds())
	}
	var mu sync.Mutex
	for _, of := range slices.Collect(maps.Keys(waiting)) { // a copy: AfterFunc may run at once
		stop := context.AfterFunc(of.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if delete(waiting, of); len(waiting) == 0 {
				cancel()
			}
		})
		defer stop()
	}
	vectors, refused, err := c.split(ctx, inputs)
	if errors.Is(err, context.Canceled) {
		err = errClosed // whoever gave up has returned already
	}
	for i, e := range batch {
		switch {
		case err != nil:
			e.fail(err)
		default:
			e.give(vectors[i], refused[i])
		}
	}
}
