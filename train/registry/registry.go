// Package registry keeps model bundles in the object store, and says which one
// is in use: promoted by one small object, which every server reads.
package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"upnext"
	"upnext/infra/blob"
	"upnext/learn/bundle"
)

// Registry is safe for concurrent use, also by several processes that share
// the object store and the locks.
type Registry struct {
	Blobs blob.Store
	Locks upnext.Locks // promotions of one tenant are in turn
	Load  bundle.Load
	Keep  int // bundles that stay beside the one in use and the one before it; 0 keeps all
	Now   func() time.Time
}

// Pointer says which bundle is in use.
type Pointer struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	Former  []string  `json:"former,omitempty"` // in use before, the latest first
	ETag    string    `json:"-"`                // of the pointer itself
}

// formers is how far back a pointer remembers.
const formers = 10

func folder(t upnext.Tenant) string                { return path.Join("models", string(t)) }
func current(t upnext.Tenant) string               { return folder(t) + "/current.json" }
func bundleKey(t upnext.Tenant, v string) string   { return folder(t) + "/bundles/" + v + ".zip" }
func manifestKey(t upnext.Tenant, v string) string { return folder(t) + "/bundles/" + v + ".json" }

// Put stores a bundle. It is not in use before Promote. The manifest beside it
// is written last: without one there is no bundle.
func (r *Registry) Put(ctx context.Context, t upnext.Tenant, b *bundle.Bundle) error {
	if err := r.put(ctx, t, b); err != nil {
		return fmt.Errorf("store bundle %s: %w", b.Version, err)
	}
	return nil
}

func (r *Registry) put(ctx context.Context, t upnext.Tenant, b *bundle.Bundle) error {
	if err := named(b.Version); err != nil {
		return err
	}
	// Put may read from the start once more: a pipe would not do.
	var file bytes.Buffer
	if err := b.Write(&file); err != nil {
		return err
	}
	if _, err := r.Blobs.Put(ctx, bundleKey(t, b.Version), bytes.NewReader(file.Bytes())); err != nil {
		return err
	}
	return r.putJSON(ctx, manifestKey(t, b.Version), b.Manifest)
}

// Open reads a bundle: ErrNotFound where there is none, ErrInvalid where it is
// damaged or of another format.
func (r *Registry) Open(ctx context.Context, t upnext.Tenant, version string) (*bundle.Bundle, error) {
	if err := named(version); err != nil {
		return nil, err
	}
	in, _, err := r.Blobs.Open(ctx, bundleKey(t, version), 0)
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", version, err)
	}
	defer in.Close()
	b, err := bundle.Read(in, r.Load)
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", version, err)
	}
	return b, nil
}

// List returns the manifests of all bundles, oldest first.
func (r *Registry) List(ctx context.Context, t upnext.Tenant) ([]bundle.Manifest, error) {
	var list []bundle.Manifest
	for info, err := range r.Blobs.List(ctx, folder(t)+"/bundles/", "") {
		if err != nil {
			return nil, fmt.Errorf("list bundles: %w", err)
		}
		if !strings.HasSuffix(info.Key, ".json") {
			continue
		}
		var m bundle.Manifest
		if _, err := r.readJSON(ctx, info.Key, &m); err != nil {
			return nil, fmt.Errorf("list bundles: %w", err)
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b bundle.Manifest) int { return strings.Compare(a.Version, b.Version) })
	return list, nil
}

// Current says which bundle is in use; ErrNotFound where none is.
func (r *Registry) Current(ctx context.Context, t upnext.Tenant) (Pointer, error) {
	var p Pointer
	info, err := r.readJSON(ctx, current(t), &p)
	if err != nil {
		return Pointer{}, fmt.Errorf("bundle in use: %w", err)
	}
	p.ETag = info.ETag
	return p, nil
}

// Promote brings a bundle into use. It is read whole before: one that is not
// there or damaged changes nothing.
func (r *Registry) Promote(ctx context.Context, t upnext.Tenant, version string) (Pointer, error) {
	if _, err := r.Open(ctx, t, version); err != nil {
		return Pointer{}, fmt.Errorf("promote: %w", err)
	}
	return r.point(ctx, t, func(p Pointer) (Pointer, error) {
		if p.Version == version {
			return p, nil
		}
		if p.Version != "" {
			p.Former = append([]string{p.Version}, p.Former...)
			p.Former = p.Former[:min(len(p.Former), formers)]
		}
		p.Version = version
		return p, nil
	})
}

// Rollback brings back the bundle that was in use before; ErrConflict where
// there was none.
func (r *Registry) Rollback(ctx context.Context, t upnext.Tenant) (Pointer, error) {
	return r.point(ctx, t, func(p Pointer) (Pointer, error) {
		if len(p.Former) == 0 {
			return p, fmt.Errorf("roll back: no bundle was in use before %q: %w", p.Version, upnext.ErrConflict)
		}
		if _, err := r.Open(ctx, t, p.Former[0]); err != nil {
			return p, fmt.Errorf("roll back: %w", err)
		}
		p.Version, p.Former = p.Former[0], p.Former[1:]
		return p, nil
	})
}

// point changes the pointer, one at a time.
func (r *Registry) point(ctx context.Context, t upnext.Tenant, change func(Pointer) (Pointer, error)) (Pointer, error) {
	unlock, err := r.Locks.Lock(ctx, "models/"+string(t))
	if err != nil {
		return Pointer{}, fmt.Errorf("promote: %w", err)
	}
	defer unlock()
	p, err := r.Current(ctx, t)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return Pointer{}, err
	}
	former := p.Version
	if p, err = change(p); err != nil || p.Version == former {
		return p, err
	}
	p.At = r.Now().UTC()
	if err := r.putJSON(ctx, current(t), p); err != nil {
		return Pointer{}, fmt.Errorf("promote: %w", err)
	}
	return p, nil
}

// Prune deletes the oldest bundles but Keep, and never those that the pointer
// names first and second.
func (r *Registry) Prune(ctx context.Context, t upnext.Tenant) error {
	if r.Keep == 0 {
		return nil
	}
	p, err := r.Current(ctx, t)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return err
	}
	list, err := r.List(ctx, t)
	if err != nil {
		return err
	}
	for _, m := range list[:max(0, len(list)-r.Keep)] {
		if m.Version == p.Version || slices.Contains(p.Former[:min(1, len(p.Former))], m.Version) {
			continue
		}
		// The manifest goes first: without one there is no bundle.
		for _, key := range []string{manifestKey(t, m.Version), bundleKey(t, m.Version)} {
			if err := r.Blobs.Delete(ctx, key); err != nil {
				return fmt.Errorf("delete bundle %s: %w", m.Version, err)
			}
		}
	}
	return nil
}

// named refuses versions that are no part of a key.
func named(version string) error {
	if version == "" || strings.ContainsAny(version, "/\\ \n") || strings.HasPrefix(version, ".") || len(version) > 100 {
		return fmt.Errorf("version %q: %w", version, upnext.ErrInvalid)
	}
	return nil
}

func (r *Registry) putJSON(ctx context.Context, key string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		_, err = r.Blobs.Put(ctx, key, bytes.NewReader(raw))
	}
	return err
}

func (r *Registry) readJSON(ctx context.Context, key string, v any) (blob.Info, error) {
	in, info, err := r.Blobs.Open(ctx, key, 0)
	if err != nil {
		return info, err
	}
	defer in.Close()
	raw, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return info, fmt.Errorf("%s: %w", key, err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return info, fmt.Errorf("%s: %w: %w", key, upnext.ErrInvalid, err)
	}
	return info, nil
}
