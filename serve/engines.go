package serve

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"upnext"
	"upnext/index"
	"upnext/serve/vec"
)

// engines are those that all tenants share. Each tenant has an index besides.
type engines struct {
	encoder *engine // of queries
	viewers *engine // viewers' properties and events, read
	events  *engine // events, written
	catalog *engine // long texts, read
	meters  *engineMeters
}

func newEngines(set Settings, reg prometheus.Registerer) *engines {
	m := newEngineMeters(reg)
	return &engines{
		encoder: newEngine("query encoder", "", set.encoderPatience(), set, m),
		viewers: newEngine("viewer store", "", set.storePatience(), set, m),
		events:  newEngine("event store", "", set.AppendDeadline, set, m),
		catalog: newEngine("catalogue", "", set.indexPatience(), set, m),
		meters:  m,
	}
}

// of returns one of a tenant's own.
func (e *engines) of(name string, t upnext.Tenant, set Settings) *engine {
	return newEngine(name, t, set.indexPatience(), set, e.meters)
}

// How much of a request's time each engine may take, so that enough is left to
// make a page without it.

func (s Settings) indexPatience() time.Duration   { return min(s.SourceDeadline, s.Deadline/4) }
func (s Settings) encoderPatience() time.Duration { return s.Deadline / 2 }
func (s Settings) storePatience() time.Duration   { return s.Deadline / 2 }

// half of what is left of ctx; otherwise, where it has no deadline.
func half(ctx context.Context, otherwise time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline) / 2
	}
	return otherwise
}

// patient is a tenant's index that a request does not wait long for.
type patient struct {
	index.Index
	engine *engine
	limit  time.Duration
}

// Search implements index.Index.
func (p patient) Search(ctx context.Context, q index.Query) ([][]index.Hit, error) {
	return ask(ctx, p.engine, p.limit, func(ctx context.Context) ([][]index.Hit, error) { return p.Index.Search(ctx, q) })
}

// Vectors implements index.Index.
func (p patient) Vectors(ctx context.Context, ids ...upnext.ItemID) ([][]float32, error) {
	return ask(ctx, p.engine, p.limit, func(ctx context.Context) ([][]float32, error) { return p.Index.Vectors(ctx, ids...) })
}

// products are those of queries with the vectors of ids, a list for each query;
// NaN for what has no vector.
func (p patient) products(ctx context.Context, queries [][]float32, ids ...upnext.ItemID) ([][]float32, error) {
	return ask(ctx, p.engine, p.limit, func(ctx context.Context) ([][]float32, error) {
		if from, ok := p.Index.(index.Scorer); ok {
			return from.Products(ctx, queries, ids...)
		}
		vectors, err := p.Index.Vectors(ctx, ids...)
		if err != nil {
			return nil, err
		}
		products := make([][]float32, len(queries))
		for i, q := range queries {
			products[i] = make([]float32, len(ids))
			for j, v := range vectors {
				if products[i][j] = float32(math.NaN()); len(v) == len(q) {
					products[i][j] = vec.Dot(q, v)
				}
			}
		}
		return products, nil
	})
}

// copied are vectors in room that a later request uses again.
type copied struct {
	vectors [][]float32
	room    *[]float32 // nil: they are whose they are
}

// rooms are those that no request has. A page's vectors are most of what it
// would leave to the garbage collector.
var rooms = sync.Pool{New: func() any { return new([]float32) }}

// copyVectors is Vectors, in room that is to be released. A call that comes late
// keeps the room that it writes to.
func (p patient) copyVectors(ctx context.Context, ids ...upnext.ItemID) (copied, error) {
	return ask(ctx, p.engine, p.limit, func(ctx context.Context) (c copied, err error) {
		from, ok := p.Index.(index.Copier)
		if !ok {
			c.vectors, err = p.Index.Vectors(ctx, ids...)
			return c, err
		}
		c.room = rooms.Get().(*[]float32)
		c.vectors, *c.room, err = from.CopyVectors(ctx, *c.room, ids...)
		return c, err
	})
}

// release gives the room to the next request: nobody may look at the vectors
// any more.
func (c copied) release() {
	if c.room != nil {
		rooms.Put(c.room)
	}
}

// patientViewers reads properties with patience.
type patientViewers struct {
	upnext.Viewers
	engine    *engine
	otherwise time.Duration // for callers without a deadline
}

// Viewer implements upnext.Viewers.
func (s patientViewers) Viewer(ctx context.Context, t upnext.Tenant, id upnext.ViewerID) (upnext.Viewer, error) {
	return ask(ctx, s.engine, half(ctx, s.otherwise), func(ctx context.Context) (upnext.Viewer, error) {
		return s.Viewers.Viewer(ctx, t, id)
	})
}

// patientMerges reads who somebody is with patience.
type patientMerges struct {
	upnext.Merges
	engine    *engine
	otherwise time.Duration // for callers without a deadline
}

// Into implements upnext.Merges.
func (s patientMerges) Into(ctx context.Context, t upnext.Tenant, anonymous upnext.ViewerID) (upnext.ViewerID, error) {
	return ask(ctx, s.engine, half(ctx, s.otherwise), func(ctx context.Context) (upnext.ViewerID, error) {
		return s.Merges.Into(ctx, t, anonymous)
	})
}

// patientEvents reads a viewer's events, and takes events in, with patience.
type patientEvents struct {
	upnext.Events
	reads, writes *engine
}

// ByViewer implements upnext.Events.
func (s patientEvents) ByViewer(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID, limit int) ([]upnext.Event, error) {
	return ask(ctx, s.reads, half(ctx, s.writes.patience), func(ctx context.Context) ([]upnext.Event, error) {
		return s.Events.ByViewer(ctx, t, viewer, limit)
	})
}

// Append implements upnext.Events. Events that were given up may be kept all
// the same: sent again they are known.
func (s patientEvents) Append(ctx context.Context, t upnext.Tenant, events ...upnext.Event) ([]upnext.Appended, error) {
	events = slices.Clone(events) // who gave up may use theirs again
	return ask(ctx, s.writes, s.writes.patience, func(ctx context.Context) ([]upnext.Appended, error) {
		return s.Events.Append(ctx, t, events...)
	})
}

// Descriptions reads what memory does not hold of items, in one query. It
// takes no more than a share of a request's time: ErrUnavailable then.
func (r *Recommender) Descriptions(ctx context.Context, t upnext.Tenant, items ...upnext.ItemID) (map[upnext.ItemID]string, error) {
	e := r.engines.catalog
	return ask(ctx, e, e.patience, func(ctx context.Context) (map[upnext.ItemID]string, error) {
		records, err := r.Catalog.Get(ctx, t, items...)
		texts := make(map[upnext.ItemID]string, len(records))
		for _, rec := range records {
			texts[rec.Item.ID] = rec.Item.Description
		}
		return texts, err
	})
}

// EngineState says whether an engine is called.
type EngineState struct {
	Name   string
	Tenant upnext.Tenant // empty: of all
	Away   bool          // its breaker is open: answers go without it
}

// Engines lists those that requests have called, by name and tenant.
func (r *Recommender) Engines() []EngineState {
	all := []*engine{r.engines.encoder, r.engines.viewers, r.engines.events, r.engines.catalog}
	r.mu.Lock()
	for _, tn := range r.tenants {
		all = append(all, tn.index, tn.active)
	}
	r.mu.Unlock()
	states := make([]EngineState, len(all))
	for i, e := range all {
		states[i] = EngineState{e.name, e.tenant, e.away()}
	}
	slices.SortFunc(states, func(a, b EngineState) int {
		return strings.Compare(a.Name+"\x00"+string(a.Tenant), b.Name+"\x00"+string(b.Tenant))
	})
	return states
}

// engineMeters count calls and show breakers.
type engineMeters struct {
	calls   *prometheus.CounterVec
	breaker *prometheus.GaugeVec
}

func newEngineMeters(reg prometheus.Registerer) *engineMeters {
	make := promauto.With(reg)
	return &engineMeters{
		calls: make.NewCounterVec(prometheus.CounterOpts{
			Name: "upnext_engine_calls_total", Help: "Calls of the request path to engines: ok, failed, late, or refused by an open breaker.",
		}, []string{"engine", "outcome"}),
		breaker: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upnext_engine_breaker", Help: "0: the engine is called; 1: one call tries whether it is back; 2: it is left alone.",
		}, []string{"engine", "tenant"}),
	}
}

func (m *engineMeters) count(e *engine, outcome string) {
	m.calls.WithLabelValues(e.name, outcome).Inc()
}
