package ingest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"upnext"
	"upnext/embed"
)

// lane is one way of items: through a pair of encoders to the collection that
// has their vectors.
type lane struct {
	embed.Encoders
	main   bool // what items are about is asked here
	counts *counters
}

// lanes are all that are kept, the main one first.
func (p *Pipeline) lanes() []lane {
	lanes := []lane{{embed.Encoders{Text: p.Text, Image: p.Image, Space: p.Space}, true, &p.main}}
	if p.Next != nil {
		lanes = append(lanes, lane{*p.Next, false, &p.next})
	}
	return lanes
}

// counters count over the Pipeline's life.
type counters struct{ items, texts, images, busy atomic.Int64 }

// Encoded is how much a Pipeline has given to a pair of encoders since it started.
type Encoded struct {
	Items  int64         // items embedded, each time that they were
	Texts  int64         // passages among them
	Images int64         // pictures among them
	Busy   time.Duration // that the encoders were waited for, over all workers
}

// Encoded returns what was embedded so far by the main encoders.
func (p *Pipeline) Encoded() Encoded { return p.main.read() }

func (c *counters) read() Encoded {
	return Encoded{Items: c.items.Load(), Texts: c.texts.Load(), Images: c.images.Load(), Busy: time.Duration(c.busy.Load())}
}

// How long a write waits for encoders that no request needs yet, and for how
// long it does not ask them again after they failed.
const (
	followWait = 10 * time.Second
	followRest = 30 * time.Second
)

// follow takes what a batch has changed to the other collections. failed is
// how the main one went; follow returns how the one went that is promoted.
func (p *Pipeline) follow(ctx context.Context, b *batch, failed error) error {
	if p.Next == nil {
		return failed
	}
	active, _, err := p.Collections.Active(ctx, b.tenant)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return errors.Join(failed, err)
	}
	var ids []upnext.ItemID
	for _, w := range b.works {
		if w.err == nil && (w.need != nothing || w.status != upnext.Unchanged) {
			ids = append(ids, w.item.ID)
		}
	}
	for _, l := range p.lanes()[1:] {
		promoted := l.Space.Name() == active
		if promoted && failed != nil {
			p.Logger.Warn("items stay pending in a collection that is not promoted", "collection", b.collection, "items", len(ids), "error", failed)
			p.leave(b.tenant)
		}
		err := p.followInto(ctx, l, b, ids, promoted)
		switch {
		case promoted:
			failed = err
		case err != nil && ctx.Err() == nil:
			p.Logger.Warn("items stay pending in a collection that is not promoted", "collection", l.Space.Name(), "items", len(ids), "error", err)
		}
	}
	return failed
}

// followInto brings one other collection up to date with the catalogue.
func (p *Pipeline) followInto(ctx context.Context, l lane, from *batch, ids []upnext.ItemID, promoted bool) error {
	if !promoted {
		if time.Now().UnixNano() < p.nextAway.Load() {
			return nil // they were away a moment ago: Upgrade takes the items up
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, followWait)
		defer cancel()
	}
	for some := range slices.Chunk(ids, batchSize) {
		b := &batch{tenant: from.tenant, lane: l}
		err := p.open(ctx, b)
		if err == nil {
			err = p.again(ctx, b, some, from.sound[l.Space.Name()])
		}
		if err != nil {
			p.nextAway.Store(time.Now().Add(followRest).UnixNano())
			return err
		}
	}
	return nil
}

// leave notes that items of a tenant were left half way.
func (p *Pipeline) leave(t upnext.Tenant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.undone == nil {
		p.undone = map[upnext.Tenant]bool{}
	}
	p.undone[t] = true
}

// left returns the tenants of whom items were left half way since the last call.
func (p *Pipeline) left() []upnext.Tenant {
	p.mu.Lock()
	defer p.mu.Unlock()
	var tenants []upnext.Tenant
	for t := range p.undone {
		tenants = append(tenants, t)
	}
	p.undone = nil
	return tenants
}
