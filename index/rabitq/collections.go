// Package rabitq is the embedded vector index: one-bit codes scanned from
// memory, the best of them multiplied exactly, on disk in one folder for each
// collection. Upserts overwrite in place and deletes clear a bit, so recall does
// not decay and nothing is rebuilt.
package rabitq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"upnext"
	"upnext/index"
)

var _ index.Collections = (*Collections)(nil)

// Collections keeps every tenant's collections under one folder, a folder for
// each tenant and in it one for each collection. One process at a time has it
// open. It is safe for concurrent use.
type Collections struct {
	dir    string
	logger *slog.Logger
	kernel kernel
	limits limits
	lock   *flock.Flock

	mu      sync.RWMutex
	tenants map[upnext.Tenant]*tenant
	closed  bool
}

// tenant is one tenant's collections, opened when it is first asked for.
type tenant struct {
	dir         string
	collections map[string]*collection
	promoted    string // empty where none is
}

const (
	lockFile     = "lock"
	promotedFile = "promoted"
	// unfinished begins the name of a folder that is not yet, or no longer, a
	// collection. Names of collections have no dot.
	unfinished = ".unfinished-"
)

var (
	errClosed  = fmt.Errorf("index is closed: %w", upnext.ErrUnavailable)
	errDropped = fmt.Errorf("collection was dropped: %w", upnext.ErrNotFound)
)

// Open opens the collections under dir, which it makes where it is not there.
// A folder that another process has open is an ErrConflict. Close them after
// use.
func Open(dir string, logger *slog.Logger) (*Collections, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	switch ok, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("open index: lock %s: %w", dir, err)
	case !ok:
		return nil, fmt.Errorf("open index: another process has %s open: %w", dir, upnext.ErrConflict)
	}
	return &Collections{dir: dir, logger: logger, kernel: kernels()[0], limits: usual, lock: lock, tenants: map[upnext.Tenant]*tenant{}}, nil
}

// Close closes all collections; calls under way on them are waited for, later
// ones answer ErrUnavailable.
func (c *Collections) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	var err error
	for _, t := range c.tenants {
		for _, x := range t.collections {
			err = errors.Join(err, x.close(errClosed, true))
		}
	}
	return errors.Join(err, c.lock.Close())
}

// Create implements index.Collections.
func (c *Collections) Create(ctx context.Context, t upnext.Tenant, name string, spec index.Spec) (index.Index, error) {
	if err := cmp.Or(ctx.Err(), index.CheckName(name), spec.Check()); err != nil {
		return nil, fmt.Errorf("create collection: %w", err)
	}
	of, err := c.opened(t)
	if err != nil {
		return nil, fmt.Errorf("create collection %s: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if x := of.collections[name]; x != nil {
		if err := x.widen(spec); err != nil {
			return nil, fmt.Errorf("create collection %s: %w", name, err)
		}
		return x, nil
	}
	x, err := of.create(name, spec, c.kernel, c.limits, c.logger)
	if err != nil {
		return nil, fmt.Errorf("create collection %s: %w: %w", name, err, upnext.ErrUnavailable)
	}
	of.collections[name] = x
	return x, nil
}

// create makes a collection's folder under another name and then renames it, so
// that a crash leaves a whole one or none.
func (t *tenant) create(name string, spec index.Spec, k kernel, l limits, logger *slog.Logger) (*collection, error) {
	if err := makeDir(t.dir); err != nil {
		return nil, err
	}
	half, whole := filepath.Join(t.dir, unfinished+name), filepath.Join(t.dir, name)
	if err := os.RemoveAll(half); err != nil {
		return nil, err
	}
	if err := makeDir(half); err != nil {
		return nil, err
	}
	if err := writeSpec(half, spec); err != nil {
		return nil, err
	}
	if err := os.Rename(half, whole); err != nil {
		return nil, err
	}
	if err := syncDir(t.dir); err != nil {
		return nil, err
	}
	return openCollection(whole, k, l, logger)
}

// Active implements index.Collections.
func (c *Collections) Active(ctx context.Context, t upnext.Tenant) (string, index.Index, error) {
	if err := ctx.Err(); err != nil {
		return "", nil, err
	}
	of, err := c.opened(t)
	if err != nil {
		return "", nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if of.promoted == "" {
		return "", nil, fmt.Errorf("tenant %s has no promoted collection: %w", t, upnext.ErrNotFound)
	}
	return of.promoted, of.collections[of.promoted], nil
}

// Promote implements index.Collections.
func (c *Collections) Promote(ctx context.Context, t upnext.Tenant, name string) error {
	of, err := c.having(ctx, t, name)
	if err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if of.collections[name] == nil {
		return fmt.Errorf("promote %s: %w", name, errDropped)
	}
	err = writeFile(filepath.Join(of.dir, promotedFile), func(f *os.File) error {
		_, err := f.WriteString(name + "\n")
		return err
	})
	if err != nil {
		return fmt.Errorf("promote %s: %w: %w", name, err, upnext.ErrUnavailable)
	}
	of.promoted = name
	return nil
}

// Drop implements index.Collections. Searches under way end first.
func (c *Collections) Drop(ctx context.Context, t upnext.Tenant, name string) error {
	of, err := c.having(ctx, t, name)
	if err != nil {
		return fmt.Errorf("drop: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	x := of.collections[name]
	switch {
	case x == nil:
		return fmt.Errorf("drop %s: %w", name, errDropped)
	case of.promoted == name:
		return fmt.Errorf("drop: collection %s is promoted: %w", name, upnext.ErrConflict)
	}
	// After the rename it has gone; removing the files may be finished later.
	gone := filepath.Join(of.dir, unfinished+name)
	if err := os.RemoveAll(gone); err != nil {
		return fmt.Errorf("drop %s: %w: %w", name, err, upnext.ErrUnavailable)
	}
	closed := x.close(errDropped, false) // first, since some systems rename no open file
	if err := os.Rename(x.dir, gone); err != nil {
		return fmt.Errorf("drop %s: %w: %w", name, err, upnext.ErrUnavailable)
	}
	delete(of.collections, name)
	if err := errors.Join(closed, syncDir(of.dir), os.RemoveAll(gone)); err != nil {
		c.logger.Warn("index dropped, but not all of it removed", "dir", gone, "error", err)
	}
	return nil
}

// List implements index.Collections.
func (c *Collections) List(ctx context.Context, t upnext.Tenant) ([]index.Info, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	of, err := c.opened(t)
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []index.Info
	for name, x := range of.collections {
		info := x.info()
		info.Name, info.Promoted = name, name == of.promoted
		list = append(list, info)
	}
	slices.SortFunc(list, func(a, b index.Info) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// having returns the tenant if it has that collection.
func (c *Collections) having(ctx context.Context, t upnext.Tenant, name string) (*tenant, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	of, err := c.opened(t)
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if of.collections[name] == nil {
		return nil, fmt.Errorf("tenant %s has no collection %.80q: %w", t, name, upnext.ErrNotFound)
	}
	return of, nil
}

// opened returns the tenant with its collections open. What is damaged is an
// error each time, loud and at its place, and not an empty collection.
func (c *Collections) opened(t upnext.Tenant) (*tenant, error) {
	c.mu.RLock()
	of, closed := c.tenants[t], c.closed
	c.mu.RUnlock()
	if closed {
		return nil, errClosed
	}
	if of != nil {
		return of, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if of := c.tenants[t]; of != nil {
		return of, nil
	}
	of, err := openTenant(filepath.Join(c.dir, escape(string(t))), c.kernel, c.limits, c.logger)
	if err != nil {
		return nil, fmt.Errorf("open index of tenant %s: %w: %w", t, err, upnext.ErrUnavailable)
	}
	c.tenants[t] = of
	return of, nil
}

// openTenant opens what lies in a tenant's folder; no folder is no collections.
func openTenant(dir string, k kernel, l limits, logger *slog.Logger) (*tenant, error) {
	t := &tenant{dir: dir, collections: map[string]*collection{}}
	folders, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	promoted, err := os.ReadFile(filepath.Join(dir, promotedFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	t.promoted = strings.TrimSpace(string(promoted))
	err = nil
	for _, folder := range folders {
		if err = t.open(folder, k, l, logger); err != nil {
			break
		}
	}
	if err == nil && t.promoted != "" && t.collections[t.promoted] == nil {
		err = damage(fmt.Errorf("promoted collection %q is not there", t.promoted))
	}
	if err != nil {
		for _, x := range t.collections {
			err = errors.Join(err, x.close(errClosed, false))
		}
		return nil, err
	}
	return t, nil
}

// open opens one folder of a tenant's.
func (t *tenant) open(folder fs.DirEntry, k kernel, l limits, logger *slog.Logger) error {
	name, path := folder.Name(), filepath.Join(t.dir, folder.Name())
	switch {
	case !folder.IsDir():
		return nil
	case strings.HasPrefix(name, unfinished):
		return os.RemoveAll(path)
	case strings.Contains(name, damaged):
		return nil
	}
	x, err := openCollection(path, k, l, logger)
	if err != nil {
		return fmt.Errorf("collection %s: %w", name, damage(err))
	}
	t.collections[name] = x
	return nil
}
