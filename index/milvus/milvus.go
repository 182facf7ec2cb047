// Package milvus keeps collections of vectors on a Milvus server, 2.3 or
// later, or on milvus-lite: what rabitq is for one process, for several.
//
// One Milvus collection holds one collection's name and dimension for all
// tenants, the tenant being its partition key. A small one beside them, the
// registry, says which tenant has which. The promoted collection of a tenant is
// an alias, so that one call switches every process.
package milvus

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
	"upnext/index"
)

var _ index.Collections = (*Collections)(nil)

const (
	activeFor = time.Second      // how long what an alias means is believed
	activeYet = 10 * time.Second // and how much longer it will do while the server is asked anew
)

// Collections are every tenant's collections on one server.
type Collections struct {
	client *client.GrpcClient
	server server
	prefix string
	log    *slog.Logger

	changing sync.Mutex     // held by Create, Promote and Drop
	asking   sync.WaitGroup // questions in the background

	mu     sync.Mutex
	open   map[key]*Index
	active map[upnext.Tenant]promoted
}

// key is a collection of a tenant.
type key struct {
	tenant upnext.Tenant
	name   string
}

// promoted is what a tenant's alias meant a moment ago.
type promoted struct {
	index  *Index
	until  time.Time
	asking bool // somebody asks anew
}

// Close ends the connection. Calls under way fail.
func (c *Collections) Close() error {
	err := c.client.Close()
	c.asking.Wait() // what is asked in the background has failed by now
	if err != nil {
		return fmt.Errorf("close milvus: %w", err)
	}
	return nil
}

// Create implements index.Collections. The registry is written first, so that
// a Drop elsewhere sees that the collection is in use.
func (c *Collections) Create(ctx context.Context, t upnext.Tenant, name string, spec index.Spec) (index.Index, error) {
	if err := cmp.Or(ctx.Err(), checkTenant(t), index.CheckName(name), spec.Check()); err != nil {
		return nil, fmt.Errorf("create collection: %w", err)
	}
	if x := c.created(key{t, name}, spec); x != nil {
		return x, nil
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	asked := time.Now()
	x, err := c.create(ctx, key{t, name}, spec)
	if err != nil {
		return nil, fmt.Errorf("create collection %s: %w", name, err)
	}
	x.created.Store(asked.UnixNano())
	return x, nil
}

// createdFor is how long Create trusts what it has found: writers call it for
// each batch, and asking strongly takes a fifth of a second. Who writes to what
// another process dropped meanwhile is told so by the write.
const createdFor = 30 * time.Second

// created returns the collection if it was asked for lately with no field less.
func (c *Collections) created(k key, spec index.Spec) *Index {
	c.mu.Lock()
	x := c.open[k]
	c.mu.Unlock()
	if x == nil || x.dim != spec.Dim || x.dropped.Load() || time.Since(time.Unix(0, x.created.Load())) > createdFor {
		return nil
	}
	fields := *x.fields.Load()
	for name, kind := range spec.Fields {
		if fields[name] != kind {
			return nil
		}
	}
	return x
}

func (c *Collections) create(ctx context.Context, k key, spec index.Spec) (*Index, error) {
	was, present, err := c.registered(ctx, k)
	if err != nil {
		return nil, err
	}
	if !present {
		was = index.Spec{Dim: spec.Dim}
	}
	wide, err := was.Widen(spec)
	if err != nil {
		return nil, err
	}
	if !present || !sameFields(was, wide) {
		if err := c.register(ctx, k, wide); err != nil {
			return nil, err
		}
	}
	if err := c.ensure(ctx, collectionSchema(c.collectionName(k.name, wide.Dim), wide.Dim)); err != nil {
		return nil, err
	}
	x := c.opened(k, wide)
	if !present {
		// The tenant may have dropped one of that name a moment ago: rows that
		// a bounded read still sees must not come back.
		rows, err := c.query(ctx, x.collection, c.server.ofTenant(k.tenant), []string{columnPrimary}, entity.ClBounded, client.WithLimit(1))
		if err != nil {
			return nil, err
		}
		if rows.Len() > 0 {
			x.overlay.doubt(time.Now())
		}
	}
	return x, nil
}

// opened returns the one Index of a collection in this process.
func (c *Collections) opened(k key, spec index.Spec) *Index {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.open[k]
	if x == nil {
		x = &Index{of: c, key: k, dim: spec.Dim, collection: c.collectionName(k.name, spec.Dim)}
		c.open[k] = x
	}
	x.fields.Store(&spec.Fields)
	return x
}

// Active implements index.Collections. Promotions by this process are seen at
// once, those by others within a second and the time in which the server says
// so. A request waits for that only where nothing was asked for a while.
func (c *Collections) Active(ctx context.Context, t upnext.Tenant) (string, index.Index, error) {
	if err := cmp.Or(ctx.Err(), checkTenant(t)); err != nil {
		return "", nil, fmt.Errorf("active collection: %w", err)
	}
	if x := c.believed(t, time.Now()); x != nil {
		return x.key.name, x, nil
	}
	x, err := c.resolve(ctx, t)
	if err != nil {
		return "", nil, fmt.Errorf("active collection: %w", err)
	}
	return x.key.name, x, nil
}

// believed returns what the alias meant lately; nil where that is too long ago.
// Where it is time to ask anew, one caller's question goes to the server in the
// background: many may wait for none.
func (c *Collections) believed(t upnext.Tenant, now time.Time) *Index {
	c.mu.Lock()
	defer c.mu.Unlock()
	is, known := c.active[t]
	if !known || is.index.dropped.Load() || now.After(is.until.Add(activeYet)) {
		return nil
	}
	if now.After(is.until) && !is.asking {
		is.asking = true
		c.active[t] = is
		c.asking.Go(func() {
			// Its own time: the caller's may be nearly up.
			ctx, cancel := context.WithTimeout(context.Background(), readFor)
			defer cancel()
			_, err := c.resolve(ctx, t)
			c.mu.Lock()
			defer c.mu.Unlock()
			if is, ok := c.active[t]; ok {
				is.asking = false
				c.active[t] = is
			}
			if isNotFound(err) {
				delete(c.active, t)
			}
		})
	}
	return is.index
}

// resolve asks the server what a tenant's alias stands for.
func (c *Collections) resolve(ctx context.Context, t upnext.Tenant) (*Index, error) {
	asked := time.Now()
	name, dim, err := c.aliased(ctx, t)
	if err != nil {
		return nil, err
	}
	k := key{t, name}
	c.mu.Lock()
	x := c.open[k]
	c.mu.Unlock()
	if x == nil || x.dim != dim {
		spec, present, err := c.registered(ctx, k)
		if err != nil {
			return nil, err
		}
		if !present {
			return nil, fmt.Errorf("tenant %s has no promoted collection: %w", t, upnext.ErrNotFound)
		}
		x = c.opened(k, spec)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if is, ok := c.active[t]; ok && is.until.After(asked.Add(activeFor)) {
		return is.index, nil // promoted here while the server was asked
	}
	c.active[t] = promoted{index: x, until: asked.Add(activeFor)}
	return x, nil
}

// Promote implements index.Collections. The alias is moved by one call, and
// what it stood for stays, so that no search fails.
func (c *Collections) Promote(ctx context.Context, t upnext.Tenant, name string) error {
	if err := cmp.Or(ctx.Err(), checkTenant(t)); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	spec, err := c.having(ctx, key{t, name})
	if err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	x := c.opened(key{t, name}, spec)
	if err := c.loaded(ctx, x.collection); err != nil {
		return fmt.Errorf("promote %s: %w", name, err)
	}
	if err := c.point(ctx, t, x.collection); err != nil {
		return fmt.Errorf("promote %s: %w", name, err)
	}
	c.mu.Lock()
	c.active[t] = promoted{index: x, until: time.Now().Add(activeFor)}
	c.mu.Unlock()
	c.log.InfoContext(ctx, "collection promoted", "tenant", t, "collection", name)
	return nil
}

// Drop implements index.Collections. The tenant's rows go; the collection goes
// with the last tenant's.
func (c *Collections) Drop(ctx context.Context, t upnext.Tenant, name string) error {
	if err := cmp.Or(ctx.Err(), checkTenant(t)); err != nil {
		return fmt.Errorf("drop: %w", err)
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	spec, err := c.having(ctx, key{t, name})
	if err != nil {
		return fmt.Errorf("drop: %w", err)
	}
	is, _, err := c.aliased(ctx, t)
	switch {
	case err == nil && is == name:
		return fmt.Errorf("drop: collection %s is promoted: %w", name, upnext.ErrConflict)
	case err != nil && !isNotFound(err):
		return fmt.Errorf("drop %s: %w", name, err)
	}
	c.mu.Lock()
	if x := c.open[key{t, name}]; x != nil {
		x.dropped.Store(true)
		delete(c.open, key{t, name})
	}
	delete(c.active, t)
	c.mu.Unlock()
	if err := c.remove(ctx, key{t, name}, spec.Dim); err != nil {
		return fmt.Errorf("drop %s: %w", name, err)
	}
	return nil
}

// List implements index.Collections.
func (c *Collections) List(ctx context.Context, t upnext.Tenant) ([]index.Info, error) {
	if err := cmp.Or(ctx.Err(), checkTenant(t)); err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	list, err := c.listed(ctx, t)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	active, _, err := c.aliased(ctx, t)
	if err != nil && !isNotFound(err) {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	for i := range list {
		of := &list[i]
		of.Promoted = of.Name == active
		of.Len, err = c.count(ctx, c.collectionName(of.Name, of.Spec.Dim), c.server.ofTenant(t))
		if err != nil {
			return nil, fmt.Errorf("list collections: %s: %w", of.Name, err)
		}
	}
	slices.SortFunc(list, func(a, b index.Info) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// having returns the spec of a collection that the tenant must have.
func (c *Collections) having(ctx context.Context, k key) (index.Spec, error) {
	spec, present, err := c.registered(ctx, k)
	if err == nil && !present {
		err = fmt.Errorf("tenant %s has no collection %.80q: %w", k.tenant, k.name, upnext.ErrNotFound)
	}
	return spec, err
}

// checkTenant refuses the name that stands for no tenant, and what no column holds.
func checkTenant(t upnext.Tenant) error {
	if t == "" || len(t) > upnext.MaxID || !printable(string(t)) {
		return fmt.Errorf("tenant %.80q: 1 to %d bytes of UTF-8 without control characters: %w", t, upnext.MaxID, upnext.ErrInvalid)
	}
	return nil
}
