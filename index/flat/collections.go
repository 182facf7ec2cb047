package flat

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"upnext"
	"upnext/index"
)

// errDropped is what an Index answers after its collection was dropped.
var errDropped = fmt.Errorf("collection was dropped: %w", upnext.ErrNotFound)

// collections keeps every tenant's collections in memory.
type collections struct {
	mu      sync.RWMutex
	tenants map[upnext.Tenant]*tenant
}

type tenant struct {
	indexes  map[string]*Index
	specs    map[string]index.Spec
	promoted string // empty where none is
}

// New returns empty collections in memory.
func New() index.Collections {
	return &collections{tenants: map[upnext.Tenant]*tenant{}}
}

// Create implements index.Collections.
func (c *collections) Create(ctx context.Context, t upnext.Tenant, name string, spec index.Spec) (index.Index, error) {
	if err := cmp.Or(ctx.Err(), index.CheckName(name), spec.Check()); err != nil {
		return nil, fmt.Errorf("create collection: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.tenants[t]
	if of == nil {
		of = &tenant{indexes: map[string]*Index{}, specs: map[string]index.Spec{}}
		c.tenants[t] = of
	}
	x, ok := of.indexes[name]
	if !ok {
		x = newIndex(spec.Dim)
		of.indexes[name], of.specs[name] = x, index.Spec{Dim: spec.Dim}
	}
	wide, err := of.specs[name].Widen(spec)
	if err != nil {
		return nil, fmt.Errorf("create collection %s: %w", name, err)
	}
	of.specs[name] = wide
	return x, nil
}

// Active implements index.Collections.
func (c *collections) Active(ctx context.Context, t upnext.Tenant) (string, index.Index, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	of := c.tenants[t]
	if err := ctx.Err(); err != nil {
		return "", nil, err
	}
	if of == nil || of.promoted == "" {
		return "", nil, fmt.Errorf("tenant %s has no promoted collection: %w", t, upnext.ErrNotFound)
	}
	return of.promoted, of.indexes[of.promoted], nil
}

// Promote implements index.Collections.
func (c *collections) Promote(ctx context.Context, t upnext.Tenant, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	of, err := c.having(ctx, t, name)
	if err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	of.promoted = name
	return nil
}

// Drop implements index.Collections.
func (c *collections) Drop(ctx context.Context, t upnext.Tenant, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	of, err := c.having(ctx, t, name)
	if err != nil {
		return fmt.Errorf("drop: %w", err)
	}
	if of.promoted == name {
		return fmt.Errorf("drop: collection %s is promoted: %w", name, upnext.ErrConflict)
	}
	x := of.indexes[name]
	x.mu.Lock()
	x.entries, x.at, x.dropped = nil, nil, true
	x.mu.Unlock()
	delete(of.indexes, name)
	delete(of.specs, name)
	return nil
}

// having returns the tenant if it has that collection. c.mu is held.
func (c *collections) having(ctx context.Context, t upnext.Tenant, name string) (*tenant, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	of := c.tenants[t]
	if of == nil || of.indexes[name] == nil {
		return nil, fmt.Errorf("tenant %s has no collection %.80q: %w", t, name, upnext.ErrNotFound)
	}
	return of, nil
}

// List implements index.Collections.
func (c *collections) List(ctx context.Context, t upnext.Tenant) ([]index.Info, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	of := c.tenants[t]
	if of == nil {
		return nil, nil
	}
	var list []index.Info
	for _, name := range slices.Sorted(maps.Keys(of.indexes)) {
		x, spec := of.indexes[name], of.specs[name]
		spec.Fields = maps.Clone(spec.Fields) // the map inside is widened later
		x.mu.RLock()
		list = append(list, index.Info{Name: name, Spec: spec, Len: len(x.entries), Promoted: name == of.promoted})
		x.mu.RUnlock()
	}
	return list, nil
}
