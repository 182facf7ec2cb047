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
	"log/slog"
	"maps"
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

	Logger *slog.Logger
}

// ErrDamaged says that what the object store has can no longer be read: no
// fault of who asks. Promote mends the pointer.
var ErrDamaged = errors.New("damaged")

// Pointer says which bundle is in use.
type Pointer struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	Former  []string  `json:"former,omitempty"` // in use before, the latest first
	Held    bool      `json:"held,omitempty"`   // rolled back: what is trained is not promoted by itself
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
	if errors.Is(err, upnext.ErrNotFound) {
		return nil, fmt.Errorf("bundle %q: %w", version, upnext.ErrNotFound)
	}
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

// List returns the manifests of all bundles, oldest first. A damaged one is left
// out, with a line in the log.
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
		_, err := r.readJSON(ctx, info.Key, &m)
		switch {
		case errors.Is(err, ErrDamaged):
			r.Logger.Warn("bundle left out", "tenant", t, "error", err)
			continue
		case errors.Is(err, upnext.ErrNotFound): // pruned meanwhile
			continue
		case err != nil:
			return nil, fmt.Errorf("list bundles: %w", err)
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b bundle.Manifest) int { return strings.Compare(a.Version, b.Version) })
	return list, nil
}

// Current says which bundle is in use; ErrNotFound where none is, ErrDamaged
// where the pointer cannot be read.
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
// there or damaged changes nothing. What a rollback held goes on.
func (r *Registry) Promote(ctx context.Context, t upnext.Tenant, version string) (Pointer, error) {
	return r.point(ctx, t, func(p *Pointer) error {
		if _, err := r.Open(ctx, t, version); err != nil {
			return fmt.Errorf("promote: %w", err)
		}
		p.Held = false
		if p.Version == version {
			return nil
		}
		if p.Version != "" {
			p.Former = append([]string{p.Version}, p.Former...)
			p.Former = p.Former[:min(len(p.Former), formers)]
		}
		p.Version = version
		return nil
	})
}

// Rollback brings back the bundle that was in use before, or the one before
// that where it is gone or damaged; ErrConflict where there is none. It holds
// what is trained from now on until somebody promotes: who goes back does not
// want the next one unseen.
func (r *Registry) Rollback(ctx context.Context, t upnext.Tenant) (Pointer, error) {
	return r.point(ctx, t, func(p *Pointer) error {
		for i, version := range p.Former {
			_, err := r.Open(ctx, t, version)
			if errors.Is(err, upnext.ErrNotFound) || errors.Is(err, upnext.ErrInvalid) {
				r.Logger.Warn("not rolled back to a bundle", "tenant", t, "version", version, "error", err)
				continue
			}
			if err != nil {
				return fmt.Errorf("roll back: %w", err)
			}
			p.Version, p.Former, p.Held = version, p.Former[i+1:], true
			return nil
		}
		return fmt.Errorf("roll back: no bundle is left that was in use before %q: %w", p.Version, upnext.ErrConflict)
	})
}

// point changes the pointer, one at a time. A damaged one counts as none.
func (r *Registry) point(ctx context.Context, t upnext.Tenant, change func(*Pointer) error) (Pointer, error) {
	unlock, err := r.lock(ctx, t)
	if err != nil {
		return Pointer{}, err
	}
	defer unlock()
	p, err := r.Current(ctx, t)
	if errors.Is(err, ErrDamaged) {
		r.Logger.Warn("pointer replaced", "tenant", t, "error", err)
	} else if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return Pointer{}, err
	}
	former := p
	if err := change(&p); err != nil || p.Version == former.Version && p.Held == former.Held {
		return p, err
	}
	p.At = r.Now().UTC()
	if err := r.putJSON(ctx, current(t), p); err != nil {
		return Pointer{}, fmt.Errorf("bundle in use: %w", err)
	}
	return p, nil
}

func (r *Registry) lock(ctx context.Context, t upnext.Tenant) (unlock func(), err error) {
	if unlock, err = r.Locks.Lock(ctx, "models/"+string(t)); err != nil {
		return nil, fmt.Errorf("bundle in use: %w", err)
	}
	return unlock, nil
}

// Prune deletes the oldest bundles but Keep, and never those that the pointer
// names first and second; and files without a manifest, as a Put leaves that
// was killed. It must not be called beside a Put for the same tenant.
func (r *Registry) Prune(ctx context.Context, t upnext.Tenant) error {
	unlock, err := r.lock(ctx, t)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := r.Current(ctx, t)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return err
	}
	whole, files := map[string]bool{}, []string{} // by version
	for info, err := range r.Blobs.List(ctx, folder(t)+"/bundles/", "") {
		if err != nil {
			return fmt.Errorf("list bundles: %w", err)
		}
		if name, ok := strings.CutSuffix(path.Base(info.Key), ".json"); ok {
			whole[name] = true
		} else if name, ok := strings.CutSuffix(path.Base(info.Key), ".zip"); ok {
			files = append(files, name)
		}
	}
	kept := slices.Sorted(maps.Keys(whole))
	if r.Keep > 0 {
		kept = kept[max(0, len(kept)-r.Keep):]
	}
	inUse := append([]string{p.Version}, p.Former[:min(1, len(p.Former))]...)
	for _, version := range files {
		if whole[version] && slices.Contains(kept, version) || slices.Contains(inUse, version) {
			continue
		}
		// The manifest goes first: without one there is no bundle.
		for _, key := range []string{manifestKey(t, version), bundleKey(t, version)} {
			if err := r.Blobs.Delete(ctx, key); err != nil && !errors.Is(err, upnext.ErrNotFound) {
				return fmt.Errorf("delete bundle %s: %w", version, err)
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
		return info, fmt.Errorf("%s: %w: %w", key, ErrDamaged, err)
	}
	return info, nil
}
