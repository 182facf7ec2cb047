package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"upnext"
)

// names are the locks of one process, by name. The zero value is ready.
type names struct {
	mu   sync.Mutex
	held map[string]*name
}

type name struct {
	free  chan struct{} // of one: who has put into it holds the name
	users int
}

// lock waits until the name is free in this process, or ctx ends.
func (n *names) lock(ctx context.Context, of string) (unlock func(), err error) {
	n.mu.Lock()
	if n.held == nil {
		n.held = map[string]*name{}
	}
	x := n.held[of]
	if x == nil {
		x = &name{free: make(chan struct{}, 1)}
		n.held[of] = x
	}
	x.users++
	n.mu.Unlock()
	leave := func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if x.users--; x.users == 0 {
			delete(n.held, of)
		}
	}
	select {
	case x.free <- struct{}{}:
		return func() { <-x.free; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// lock holds a name in this process and, where there are Locks, among all that
// share them. One holder in a process asks the others, whose locks may cost a
// connection each.
func (p *Pipeline) lock(ctx context.Context, format string, args ...any) (unlock func(), err error) {
	name := fmt.Sprintf(format, args...)
	here, err := p.locks.lock(ctx, name)
	if err != nil || p.Locks == nil {
		return here, err
	}
	everywhere, err := p.Locks.Lock(ctx, name)
	if err != nil {
		here()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return func() { everywhere(); here() }, nil
}

// landing is held while the index and the marks of a collection are made to
// agree with the catalogue, by whichever process.
func (p *Pipeline) landing(ctx context.Context, t upnext.Tenant, collection string) (unlock func(), err error) {
	return p.lock(ctx, "land/%s/%s", t, collection)
}

// landings holds the landing of several collections; their names are sorted,
// so that two who want the same do not wait for each other in a ring.
func (p *Pipeline) landings(ctx context.Context, t upnext.Tenant, collections []string) (unlock func(), err error) {
	var held []func()
	unlock = func() {
		for _, u := range held {
			u()
		}
	}
	for _, c := range collections {
		u, err := p.landing(ctx, t, c)
		if err != nil {
			unlock()
			return nil, err
		}
		held = append(held, u)
	}
	return unlock, nil
}

// errEndpoint marks an ErrUnavailable as one of a model's endpoint, for which
// an import waits as long as it is away.
var errEndpoint = errors.New("the model's endpoint does not answer")

// endpoint marks an error of a model's endpoint that may pass.
func endpoint(err error) error {
	if errors.Is(err, upnext.ErrUnavailable) {
		return fmt.Errorf("%w: %w", errEndpoint, err)
	}
	return err
}
