// Package dir is a folder as an object store: a file an object.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"upnext"
	"upnext/infra/blob"
)

// Store keeps objects below a folder. Files that it is still writing lie in
// ".tmp" there, which no key can name.
type Store struct {
	root    *os.Root
	folders sync.RWMutex // written while empty folders are taken away: a Put needs its own
}

var _ blob.Store = (*Store)(nil)

const writing = ".tmp"

// Open makes the folder where it is missing. What a crash left half written
// is removed.
func Open(path string) (*Store, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("open object folder: %w", failure(err))
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open object folder: %w", failure(err))
	}
	if err := errors.Join(root.RemoveAll(writing), root.Mkdir(writing, 0o700)); err != nil {
		return nil, fmt.Errorf("open object folder %s: %w", path, failure(err))
	}
	return &Store{root: root}, nil
}

// Put writes to a temporary file, syncs it and renames it, so that the object
// is there whole or not at all; then it syncs the folder.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	name, err := fileOf(key)
	if err != nil {
		return blob.Info{}, fmt.Errorf("put object: %w", err)
	}
	info, err := s.put(ctx, key, name, r)
	if err != nil {
		return blob.Info{}, fmt.Errorf("put object %s: %w", key, failure(err))
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, key, name string, r io.Reader) (blob.Info, error) {
	temp, f, err := s.create()
	if err != nil {
		return blob.Info{}, err
	}
	defer s.root.Remove(temp) // gone already once it was renamed
	_, err = io.Copy(f, readerOf(ctx, r))
	if err == nil {
		err = f.Sync()
	}
	var st fs.FileInfo
	if err == nil { // before it is placed: a Delete beside it may take it away at once
		st, err = f.Stat()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return blob.Info{}, err
	}
	if err := s.place(temp, name); err != nil {
		return blob.Info{}, err
	}
	return infoOf(key, st), nil
}

// place renames a whole temporary file to its name, durably. A Delete of another
// process may take the folder away, as it was empty, even while it is made: then it
// is made again.
func (s *Store) place(temp, name string) error {
	folder := filepath.Dir(name)
	for try := 0; ; try++ {
		known, _ := s.root.Stat(folder) // whatever it is, MkdirAll and Rename will tell
		err := s.rename(temp, folder, name)
		if err == nil {
			err = s.syncFolder(folder, known == nil)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it was there, and a Delete has taken it and its folder
			}
			return err
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) || try == 20 {
			return err
		}
	}
}

func (s *Store) rename(temp, folder, name string) error {
	s.folders.RLock()
	defer s.folders.RUnlock()
	if err := s.root.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return s.root.Rename(temp, name)
}

// Open opens the object's file.
func (s *Store) Open(ctx context.Context, key string, offset int64) (io.ReadCloser, blob.Info, error) {
	name, err := fileOf(key)
	if err != nil {
		return nil, blob.Info{}, fmt.Errorf("open object: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, blob.Info{}, fmt.Errorf("open object %s: %w", key, err)
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, blob.Info{}, fmt.Errorf("open object %s: %w", key, failure(err))
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fs.ErrNotExist
	}
	if err == nil && (offset < 0 || offset > st.Size()) {
		err = fmt.Errorf("offset %d of %d bytes: %w", offset, st.Size(), upnext.ErrInvalid)
	}
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, blob.Info{}, fmt.Errorf("open object %s: %w", key, failure(err))
	}
	return f, infoOf(key, st), nil
}

// Stat looks at the object's file.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	name, err := fileOf(key)
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat object: %w", err)
	}
	st, err := s.root.Stat(name)
	if err == nil && st.IsDir() {
		err = fs.ErrNotExist
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat object %s: %w", key, failure(err))
	}
	return infoOf(key, st), nil
}

// Delete removes the object's file, and the folders that it leaves empty.
func (s *Store) Delete(ctx context.Context, key string) error {
	name, err := fileOf(key)
	if err != nil {
		return fmt.Errorf("delete object: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete object %s: %w", key, err)
	}
	st, err := s.root.Stat(name)
	if err == nil && st.IsDir() {
		return nil // a longer key's folder, not this object
	}
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("delete object %s: %w", key, failure(err))
	}
	s.removeEmpty(filepath.Dir(name))
	return nil
}

// removeEmpty removes a folder and those around it, up to one that is not empty.
func (s *Store) removeEmpty(folder string) {
	s.folders.Lock()
	defer s.folders.Unlock()
	for folder != "." && s.root.Remove(folder) == nil {
		folder = filepath.Dir(folder)
	}
}

// List walks the folders in the order of the keys, one folder in memory at a time.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		s.walk(ctx, ".", "", prefix, after, yield)
	}
}

// walk yields what lies below the folder whose keys begin with base; false
// once the caller has had enough.
func (s *Store) walk(ctx context.Context, folder, base, prefix, after string, yield func(blob.Info, error) bool) bool {
	f, err := s.root.Open(folder)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || yield(blob.Info{}, fmt.Errorf("list objects: %w", failure(err)))
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return yield(blob.Info{}, fmt.Errorf("list objects: %w", failure(err)))
	}
	// A folder stands where its keys stand: behind "name", as "name/".
	type place struct {
		key   string
		entry fs.DirEntry
	}
	var places []place
	for _, e := range entries {
		key, ok := keyOf(e.Name())
		if !ok || folder == "." && e.Name() == writing {
			continue
		}
		key = base + key
		if e.IsDir() {
			key += "/"
		}
		places = append(places, place{key, e})
	}
	slices.SortFunc(places, func(a, b place) int { return strings.Compare(a.key, b.key) })
	for _, p := range places {
		if err := ctx.Err(); err != nil {
			return yield(blob.Info{}, fmt.Errorf("list objects: %w", err))
		}
		if p.entry.IsDir() {
			if !strings.HasPrefix(p.key, prefix) && !strings.HasPrefix(prefix, p.key) || p.key < after && !strings.HasPrefix(after, p.key) {
				continue
			}
			if !s.walk(ctx, filepath.Join(folder, p.entry.Name()), p.key, prefix, after, yield) {
				return false
			}
			continue
		}
		if !strings.HasPrefix(p.key, prefix) || p.key <= after {
			continue
		}
		st, err := p.entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return yield(blob.Info{}, fmt.Errorf("list objects: %w", failure(err)))
		}
		if !yield(infoOf(p.key, st), nil) {
			return false
		}
	}
	return true
}
