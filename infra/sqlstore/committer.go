package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"upnext"
)

// A commit costs one sync however much it holds, so calls that come while one
// runs wait together for the next. maxGroup bounds how long a call waits for
// others' events; maxQueue how many calls wait before further ones block.
const (
	maxGroup = 2_000 // events
	maxQueue = 512   // calls
)

// appendCall is one caller's events on their way into a transaction.
type appendCall struct {
	ctx    context.Context
	tenant upnext.Tenant
	rows   []eventRow
	out    []upnext.Appended
	err    error
	done   chan struct{} // closed when out and err stand
}

// committer gathers concurrent calls into groups and writes one at a time.
type committer struct {
	write func(ctx context.Context, calls []*appendCall) error
	queue chan *appendCall
	quit  chan struct{} // closed to ask it to end
	ended chan struct{} // closed when it has
	once  sync.Once
}

func startCommitter(write func(ctx context.Context, calls []*appendCall) error) *committer {
	c := &committer{
		write: write, queue: make(chan *appendCall, maxQueue),
		quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go c.run()
	return c
}

// close lets the committer finish what has queued and waits for its end.
func (c *committer) close() {
	c.once.Do(func() { close(c.quit) })
	<-c.ended
}

// append waits until the rows are committed or ctx ends.
func (c *committer) append(ctx context.Context, t upnext.Tenant, rows []eventRow) ([]upnext.Appended, error) {
	call := &appendCall{
		ctx: ctx, tenant: t, rows: rows,
		out: make([]upnext.Appended, len(rows)), done: make(chan struct{}),
	}
	closed := fmt.Errorf("the database is closed: %w", upnext.ErrUnavailable)
	select { // select picks any ready case, and the queue may have room after the end
	case <-c.ended:
		return nil, closed
	default:
	}
	select {
	case c.queue <- call:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.ended:
		return nil, closed
	}
	select {
	case <-call.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.ended:
		// It may have come too late for the last group, or have been in it.
		select {
		case <-call.done:
		default:
			return nil, closed
		}
	}
	if call.err != nil {
		return nil, call.err
	}
	return call.out, nil
}

func (c *committer) run() {
	defer close(c.ended)
	for {
		select {
		case call := <-c.queue:
			c.commit(c.gather(call))
		case <-c.quit:
			for {
				select {
				case call := <-c.queue:
					c.commit(c.gather(call))
				default:
					return
				}
			}
		}
	}
}

// gather takes what has queued behind first, up to maxGroup events.
func (c *committer) gather(first *appendCall) []*appendCall {
	group, n := []*appendCall{first}, len(first.rows)
	for n < maxGroup {
		select {
		case call := <-c.queue:
			group, n = append(group, call), n+len(call.rows)
		default:
			return group
		}
	}
	return group
}

// commit writes a group. Where that fails each call is tried alone, so that
// what one caller sent cannot fail another. A call whose caller has left while
// it queued is not written; one that has begun is finished without its caller.
func (c *committer) commit(group []*appendCall) {
	calls := make([]*appendCall, 0, len(group))
	for _, call := range group {
		if call.err = call.ctx.Err(); call.err == nil {
			calls = append(calls, call)
		} else {
			close(call.done)
		}
	}
	if len(calls) == 0 {
		return
	}
	slices.SortStableFunc(calls, func(a, b *appendCall) int { return cmp.Compare(a.tenant, b.tenant) })
	err := c.write(context.Background(), calls)
	for i, call := range calls {
		call.err = err
		if err != nil && len(calls) > 1 {
			call.err = c.write(context.Background(), calls[i:i+1])
		}
		close(call.done)
	}
}
