package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/index"
	"upnext/infra/blob"
	"upnext/understand"
)

// Pipeline takes items from their owner to the index. The exported fields are
// set once, before its first use; all but Image, Next, Locks and OnChange are
// needed. It is safe for concurrent use, and by several processes at a time
// where Locks are theirs in common.
type Pipeline struct {
	Catalog        upnext.Catalog
	Indexings      upnext.Indexings
	Understandings upnext.Understandings
	Schemas        upnext.Schemas
	Collections    index.Collections
	Blobs          blob.Store // objects that items name by key; a tenant's keys begin with "TENANT/"
	Text           embed.Embedder
	Image          embed.Embedder  // nil: pictures are shown and not looked at
	Space          *embed.Space    // what the vectors of the collection are, and its name
	Next           *embed.Encoders // other encoders, whose collection is kept beside: see Upgrade
	Understander   understand.Understander
	Locks          upnext.Locks // nil: this is the only process
	Logger         *slog.Logger
	Now            func() time.Time
	OnChange       func(upnext.Tenant) // called after items have changed, by several at once; must not block

	locks    names // that this process holds
	main     counters
	next     counters
	nextAway atomic.Int64 // until when Next is not asked at a write, Unix nanoseconds

	mu     sync.Mutex
	undone map[upnext.Tenant]bool // where something was left half way: Sweeper takes it up soon
}

// Result is what became of one item of a Put.
type Result struct {
	ID       upnext.ItemID
	Status   upnext.PutStatus // empty where Err is not nil
	Err      error            // why the item was refused: an ErrInvalid that names the field
	Failures []upnext.Failure // parts of a taken item that could not be: its thumbnail, its transcript
}

// batchSize is how many items go through the stages together: enough for the
// encoders to work in batches, little enough to repeat after a crash.
const batchSize = 64

// Put takes items and reports one Result for each. When it returns without an
// error, those without an Err are in the catalogue and searches find them; a
// crash loses none of them. An item like the one that is there is Unchanged
// and costs nothing. On an error some may have come through; putting them
// again is right.
func (p *Pipeline) Put(ctx context.Context, t upnext.Tenant, items ...upnext.Item) ([]Result, error) {
	results := make([]Result, 0, len(items))
	for chunk := range slices.Chunk(items, batchSize) {
		b := &batch{tenant: t, works: make([]*work, len(chunk))}
		for i, it := range chunk {
			b.works[i] = &work{item: it}
		}
		if err := p.put(ctx, b); err != nil {
			return results, fmt.Errorf("put %d items: %w", len(items), err)
		}
		for _, w := range b.works {
			results = append(results, w.result())
		}
	}
	return results, nil
}

// PutOnly is Put of one item if it stands at a version of the catalogue, 0 for
// one that is not there; ErrConflict where it does not.
func (p *Pipeline) PutOnly(ctx context.Context, t upnext.Tenant, it upnext.Item, version int64) (Result, error) {
	b := &batch{tenant: t, works: []*work{{item: it, only: &version}}}
	if err := p.put(ctx, b); err != nil {
		return Result{}, fmt.Errorf("put item %s: %w", it.ID, err)
	}
	return b.works[0].result(), nil
}

// put takes one batch from its owner's hands to every collection that is kept.
// It fails with the collection that requests are answered from: in another one
// the items stay pending, for Sweeper or Upgrade to take up.
func (p *Pipeline) put(ctx context.Context, b *batch) error {
	b.lane = p.lanes()[0]
	if err := p.check(ctx, b); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if err := b.timed("catalogued", func() error { return p.catalogue(ctx, b) }); err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	err := p.advance(ctx, b)
	if err = p.follow(ctx, b, err); err != nil {
		p.leave(b.tenant)
		return err
	}
	if b.moved() && p.OnChange != nil {
		p.OnChange(b.tenant)
	}
	return nil
}

// advance takes what is in the catalogue and not searchable the rest of the
// way: new items, and those that an interruption left pending.
func (p *Pipeline) advance(ctx context.Context, b *batch) error {
	if err := b.timed("embedded", func() error { return p.embed(ctx, b) }); err != nil {
		return fmt.Errorf("embed: %w", err)
	}
	if err := b.timed("understood", func() error { return p.understand(ctx, b) }); err != nil {
		return fmt.Errorf("understand: %w", err)
	}
	if err := b.timed("indexed", func() error { return p.land(ctx, b) }); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	return nil
}
