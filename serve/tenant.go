package serve

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"upnext"
	"upnext/filter"
	"upnext/learn/bundle"
	"upnext/serve/crowd"
	"upnext/serve/learned"
	"upnext/serve/rule"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// tenant is what is held in memory of one tenant.
type tenant struct {
	name    upnext.Tenant
	shelf   shelf.Shelf
	crowd   *crowd.Crowd
	index   *engine                       // searches and vectors
	active  *engine                       // which collection is promoted: that it answers says nothing of the index
	bundle  atomic.Pointer[bundle.Bundle] // nil: no models yet
	numbers atomic.Pointer[learned.Numbers]
	found   newcomers
	traffic *rule.Traffic
	beats   beats

	chances atomic.Pointer[chances] // of items that few have met

	// following is held while changes and events are read and applied, so that
	// each is applied once and in order.
	following latch
	tail      int64 // Seq of the last event applied
	withdrawn int64 // how often events were taken back, as far as the counts know
	savedTail int64 // of the last checkpoint

	savedVersion int64 // of the shelf of the last checkpoint
	loaded       atomic.Bool

	mu      sync.RWMutex
	schema  upnext.Schema
	filters map[string]*filter.Filter // parsed against schema; emptied with it
}

// tenant returns what is held of t, not necessarily loaded.
func (r *Recommender) tenant(t upnext.Tenant) *tenant {
	r.mu.Lock()
	defer r.mu.Unlock()
	tn := r.tenants[t]
	if tn == nil {
		tn = &tenant{
			name: t, crowd: crowd.New(r.Settings.Crowd), traffic: rule.NewTraffic(r.Settings.Rules.Guarantees),
			index: r.engines.of("index", t, r.Settings), active: r.engines.of("collections", t, r.Settings),
			following: make(latch, 1), filters: map[string]*filter.Filter{},
		}
		r.tenants[t] = tn
	}
	return tn
}

// numbersOf are the numbers that a bundle's items have on the shelf.
func (tn *tenant) numbersOf(b *bundle.Bundle) *learned.Numbers {
	known := tn.numbers.Load()
	n := known.For(b)
	if n != known {
		tn.numbers.CompareAndSwap(known, n) // who comes first is kept; another's is right, and filled for one request
	}
	return n
}

// open returns t loaded; who comes first loads it, others wait.
func (r *Recommender) open(ctx context.Context, t upnext.Tenant) (*tenant, error) {
	tn := r.tenant(t)
	if tn.loaded.Load() {
		return tn, nil
	}
	if err := r.follow(ctx, tn); err != nil {
		return nil, err
	}
	return tn, nil
}

// Refresh applies the catalogue's changes, the schema and the events up to
// now. Who has put or deleted an item calls it, and the next answer knows.
func (r *Recommender) Refresh(ctx context.Context, t upnext.Tenant) error {
	return r.follow(ctx, r.tenant(t))
}

// follow brings a tenant up to date.
func (r *Recommender) follow(ctx context.Context, tn *tenant) error {
	if err := tn.following.lockIn(ctx); err != nil {
		return fmt.Errorf("load tenant %s: %w", tn.name, err)
	}
	defer tn.following.Unlock()
	schema, err := r.Schemas.Schema(ctx, tn.name, "items")
	if err != nil {
		return fmt.Errorf("follow tenant %s: %w", tn.name, err)
	}
	tn.setSchema(schema)
	if !tn.loaded.Load() {
		if err := r.resumeItems(ctx, tn); err != nil {
			return fmt.Errorf("load tenant %s: %w", tn.name, err)
		}
	}
	if err := tn.shelf.Follow(ctx, tn.name, r.Catalog); err != nil {
		return fmt.Errorf("follow tenant %s: %w", tn.name, err)
	}
	if err := r.followBeats(ctx, tn); err != nil {
		return fmt.Errorf("follow tenant %s: %w", tn.name, err)
	}
	if !tn.loaded.Load() {
		if err := r.resumeCounts(ctx, tn); err != nil {
			return fmt.Errorf("load tenant %s: %w", tn.name, err)
		}
	}
	if err := r.followEvents(ctx, tn); err != nil {
		return fmt.Errorf("follow tenant %s: %w", tn.name, err)
	}
	r.weighChances(tn, r.Now())
	tn.loaded.Store(true)
	return nil
}

// tailPage is how many events one read of the tail takes.
const tailPage = 2000

// followEvents applies what the tail has: to the crowd, and to the viewers
// that are held (another replica may have taken the event). One page is applied
// while the next one is read.
func (r *Recommender) followEvents(ctx context.Context, tn *tenant) error {
	ask := func(after int64) <-chan answer[[]upnext.Event] {
		answers := make(chan answer[[]upnext.Event], 1)
		go func() {
			events, err := r.Events.Since(ctx, tn.name, after, tailPage)
			answers <- answer[[]upnext.Event]{events, err}
		}()
		return answers
	}
	for next := ask(tn.tail); next != nil; {
		got := <-next
		if got.err != nil {
			return fmt.Errorf("follow the events: %w", got.err)
		}
		events := got.value
		if next = nil; len(events) == tailPage {
			next = ask(events[tailPage-1].Seq)
		}
		now := r.Now()
		for _, e := range events {
			r.viewers.feel(tn.name, e)
			r.count(tn, e, now)
			tn.tail = e.Seq
		}
	}
	return nil
}

// takes is the weight from which an event says that a viewer took to an item.
const takes = 0.3

// count adds an event to the crowd if it speaks for its item.
func (r *Recommender) count(tn *tenant, e upnext.Event, now time.Time) {
	if it := r.takenTo(tn, e); it != nil {
		tn.crowd.Add(e.Viewer, it.Ord, e.At, now, r.viewers.regionOf(tn.name, e))
	}
	tn.countShown(e, 1)
	tn.countLike(e)
}

// takenTo returns the item that an event speaks for; nil where it does not.
func (r *Recommender) takenTo(tn *tenant, e upnext.Event) *shelf.Item {
	if it, weight := r.spokenFor(tn, e); weight >= takes {
		return it
	}
	return nil
}

// spokenFor returns an event's item and what the event says of it; nil and 0
// where there is none.
func (r *Recommender) spokenFor(tn *tenant, e upnext.Event) (*shelf.Item, float64) {
	if e.Item == "" || e.Kind == upnext.Impression {
		return nil, 0
	}
	it := tn.shelf.Item(e.Item)
	if it == nil {
		return nil, 0
	}
	return it, r.Settings.Taste.Weigh(taste.ActOf(e), it.Item.Duration)
}

func (tn *tenant) setSchema(schema upnext.Schema) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.schema = schema
	clear(tn.filters)
}

// maxFilters bounds the parsed expressions that are kept.
const maxFilters = 500

// filter parses an expression, or finds it parsed. An empty one is nil.
func (tn *tenant) filter(src string, parse func(string, upnext.Schema) (*filter.Filter, error), of string) (*filter.Filter, error) {
	if src == "" {
		return nil, nil
	}
	key := of + ":" + src
	tn.mu.RLock()
	f, schema := tn.filters[key], tn.schema
	tn.mu.RUnlock()
	if f != nil {
		return f, nil
	}
	f, err := parse(src, schema)
	if err != nil {
		return nil, upnext.Within(of, err)
	}
	tn.mu.Lock()
	defer tn.mu.Unlock()
	if len(tn.filters) >= maxFilters {
		clear(tn.filters)
	}
	tn.filters[key] = f
	return f, nil
}

// Record returns an item as the shelf has it, without its long text, for
// display. False where it is not there or the tenant is not loaded.
func (r *Recommender) Record(t upnext.Tenant, id upnext.ItemID) (upnext.Record, bool) {
	it := r.tenant(t).shelf.Item(id)
	if it == nil {
		return upnext.Record{}, false
	}
	return it.Record, true
}
