package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"upnext"
	"upnext/index"
	"upnext/learn/bundle"
	"upnext/serve/shelf"
)

// What is held of newcomers: the newest items of the shelf that the models have
// never met, whose vectors are read so many at a time and in so much time. Each
// costs a request that asks the models one inner product.
const (
	newcomersMost  = 10_000
	newcomersBatch = 500
	newcomersLimit = 10 * time.Second
	newcomersRest  = 64 // looks at most between two for vectors that were missing
	newcomersAgain = 6  // reads of one whose record has changed: its vector follows later
)

// newcomers are the content vectors of items that a tenant's models have never
// met. They are read beside the requests, which find them in the bundle.
type newcomers struct {
	mu      sync.Mutex     // held while they are read: one at a time
	of      *bundle.Bundle // that they are new to and were given to
	shelf   int64          // its version when they were last read
	held    map[upnext.ItemID]newcomer
	missing bool   // some have no vector yet
	rest    int    // looks to let pass before these are asked for again
	pause   int    // the next rest; doubles
	settle  int    // looks to let pass in any case
	refused string // what the log has been told
}

// newcomer is an item as it was when its vector was read.
type newcomer struct {
	item   *shelf.Item
	vector []float32 // nil: it was not in the index
	again  int       // reads to come, as the vector may be that of the former record
}

// meetNewcomers brings the newcomers of all tenants to their models until ctx
// ends. An index that is slow or away delays nothing but this.
func (r *Recommender) meetNewcomers(ctx context.Context) {
	tick := time.NewTicker(r.Settings.FollowEvery)
	defer tick.Stop()
	failing := map[upnext.Tenant]bool{}
	for {
		for _, t := range r.Known() {
			err := r.meet(ctx, r.tenant(t))
			if err != nil && ctx.Err() == nil && !failing[t] { // once is enough
				r.Logger.Warn("new items are not placed", "tenant", t, "error", err)
			}
			failing[t] = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// meet reads the vectors of items that the tenant's models have never met and
// puts a bundle that knows them in the place of the one in use, unless that was
// swapped meanwhile. It does nothing where neither the models nor the shelf have
// changed and no vector was missing. The vector of a record that has changed is
// read again for about a minute; one that changes without a record is seen with
// the next bundle.
func (r *Recommender) meet(ctx context.Context, tn *tenant) error {
	f := &tn.found
	f.mu.Lock()
	defer f.mu.Unlock()
	b := tn.bundle.Load()
	if b == nil || b.Content == nil {
		f.of, f.held = nil, nil
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, newcomersLimit)
	defer cancel()
	collection, idx, err := r.Collections.Active(ctx, tn.name)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return fmt.Errorf("open the collection: %w", err)
	}
	if collection != b.Content.Collection || err != nil {
		if key := b.Version + " " + collection; f.refused != key { // once is enough
			f.refused = key
			r.Logger.Warn("the models' map of content is not used: it was learned in another collection",
				"tenant", tn.name, "models", b.Version, "learned_in", b.Content.Collection, "in_use", collection)
		}
		f.of, f.held = nil, nil
		if len(b.Newcomers()) > 0 {
			tn.bundle.CompareAndSwap(b, b.With(nil, nil))
		}
		return nil
	}
	f.refused = ""
	version := tn.shelf.Version()
	switch {
	case f.of != b:
		f.of, f.held = b, nil
	case f.settle > 0:
		f.settle--
		return nil
	case f.shelf == version && !f.missing:
		return nil
	case f.shelf == version && f.rest > 0:
		f.rest--
		return nil
	}
	came, err := f.read(ctx, b, &tn.shelf, idx)
	if err != nil {
		f.shelf = -1 // to be looked at again
		return err
	}
	if f.pause = min(newcomersRest, max(1, 2*f.pause)); came || f.shelf != version {
		f.pause = 1
	}
	f.rest, f.shelf = f.pause-1, version
	if came {
		f.of = b.With(f.list(&tn.shelf))
		tn.bundle.CompareAndSwap(b, f.of)       // else another one is there, and looked at next
		f.settle = len(f.held) / newcomersBatch // many are not listed anew for each that an import brings
	}
	return nil
}

// read asks the index for what is not held, and says whether anything came or
// went.
func (f *newcomers) read(ctx context.Context, b *bundle.Bundle, s *shelf.Shelf, idx index.Index) (came bool, err error) {
	held := make(map[upnext.ItemID]newcomer, len(f.held))
	var ask []*shelf.Item
	for _, it := range s.Newest() {
		id := it.Item.ID
		if _, known := b.Number(id); known {
			continue
		}
		own, ok := f.held[id]
		if ok && own.item != it {
			own.again = newcomersAgain
		}
		if held[id] = own; own.vector == nil || own.again > 0 {
			ask = append(ask, it)
		}
		if len(held) == newcomersMost {
			break
		}
	}
	for id, own := range f.held {
		if _, stays := held[id]; !stays && own.vector != nil {
			came = true
		}
	}
	missing := false
	for part := range slices.Chunk(ask, newcomersBatch) {
		ids := make([]upnext.ItemID, len(part))
		for i, it := range part {
			ids[i] = it.Item.ID
		}
		vectors, err := idx.Vectors(ctx, ids...)
		if err != nil {
			return false, fmt.Errorf("read their vectors: %w", err)
		}
		for i, it := range part {
			own := newcomer{it, slices.Clone(vectors[i]), max(0, held[ids[i]].again-1)}
			came = came || !slices.Equal(own.vector, held[ids[i]].vector)
			missing = missing || own.vector == nil || own.again > 0
			held[ids[i]] = own
		}
	}
	f.held, f.missing = held, missing
	return came, nil
}

// list is what has a vector, in the shelf's order, so that equal shelves give
// equal bundles.
func (f *newcomers) list(s *shelf.Shelf) (ids []upnext.ItemID, vectors [][]float32) {
	for _, it := range s.Newest() {
		if own := f.held[it.Item.ID]; own.vector != nil {
			ids, vectors = append(ids, it.Item.ID), append(vectors, own.vector)
		}
	}
	return ids, vectors
}
