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
// set once, before its first use; all but Image and OnChange are needed. It is safe for
// concurrent use, by one process at a time.
type Pipeline struct {
	Catalog        upnext.Catalog
	Indexings      upnext.Indexings
	Understandings upnext.Understandings
	Schemas        upnext.Schemas
	Collections    index.Collections
	Blobs          blob.Store // objects that items name by key; a tenant's keys begin with "TENANT/"
	Text           embed.Embedder
	Image          embed.Embedder // nil: pictures are shown and not looked at
	Space          *embed.Space   // what the vectors of the collection are, and its name
	Understander   understand.Understander
	Logger         *slog.Logger
	Now            func() time.Time
	OnChange       func(upnext.Tenant) // called after items have changed, by several at once; must not block

	schemas sync.Mutex // one at a time reads a schema and puts a longer one
	landing sync.Mutex // held while index and marks are made to agree with the catalogue
	counts  counters
}

// counters count over the Pipeline's life.
type counters struct{ items, texts, images atomic.Int64 }

// Encoded is how much a Pipeline has given to the encoders since it started.
type Encoded struct {
	Items  int64 // items embedded, each time that they were
	Texts  int64 // passages among them
	Images int64 // pictures among them
}

// Encoded returns what was embedded so far.
func (p *Pipeline) Encoded() Encoded {
	return Encoded{Items: p.counts.items.Load(), Texts: p.counts.texts.Load(), Images: p.counts.images.Load()}
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

// put takes one batch from its owner's hands to the index.
func (p *Pipeline) put(ctx context.Context, b *batch) error {
	if err := p.check(ctx, b); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if err := b.timed("catalogued", func() error { return p.catalogue(ctx, b) }); err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	return p.advance(ctx, b)
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
	if b.moved() && p.OnChange != nil {
		p.OnChange(b.tenant)
	}
	return nil
}
