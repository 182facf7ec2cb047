package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"upnext"
	"upnext/infra/blob"
)

// files is where a source lies: the reading half of a blob.Store, and its
// contract. Keys are relative to the source.
type files interface {
	Open(ctx context.Context, key string, offset int64) (io.ReadCloser, blob.Info, error)
	Stat(ctx context.Context, key string) (blob.Info, error)
	List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error]
}

// under is what lies below a prefix of an object store.
type under struct {
	store  blob.Store
	prefix string // ends with a slash
}

func (u under) Open(ctx context.Context, key string, offset int64) (io.ReadCloser, blob.Info, error) {
	r, info, err := u.store.Open(ctx, u.prefix+key, offset)
	info.Key = key
	return r, info, err
}

func (u under) Stat(ctx context.Context, key string) (blob.Info, error) {
	info, err := u.store.Stat(ctx, u.prefix+key)
	info.Key = key
	return info, err
}

func (u under) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	if after != "" {
		after = u.prefix + after
	}
	return func(yield func(blob.Info, error) bool) {
		for info, err := range u.store.List(ctx, u.prefix+prefix, after) {
			info.Key = strings.TrimPrefix(info.Key, u.prefix)
			if !yield(info, err) {
				return
			}
		}
	}
}

// folder is a folder of the machine, read in place: only what items need of it
// is copied into the object store. No link leads out of it.
type folder struct{ root *os.Root }

func (f folder) Open(_ context.Context, key string, offset int64) (io.ReadCloser, blob.Info, error) {
	if !fs.ValidPath(key) {
		return nil, blob.Info{}, fmt.Errorf("file %q: not a path below the source: %w", key, upnext.ErrInvalid)
	}
	file, err := f.root.Open(key)
	if err != nil {
		return nil, blob.Info{}, fileError(err)
	}
	st, err := file.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("file %s: not a file: %w", key, upnext.ErrInvalid)
	}
	if err == nil && offset > 0 {
		_, err = file.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, blob.Info{}, errors.Join(err, file.Close())
	}
	return file, describe(key, st), nil
}

func (f folder) Stat(_ context.Context, key string) (blob.Info, error) {
	if !fs.ValidPath(key) {
		return blob.Info{}, fmt.Errorf("file %q: not a path below the source: %w", key, upnext.ErrInvalid)
	}
	st, err := f.root.Stat(key)
	if err != nil {
		return blob.Info{}, fileError(err)
	}
	if !st.Mode().IsRegular() {
		return blob.Info{}, fmt.Errorf("file %s: not a file: %w", key, upnext.ErrNotFound)
	}
	return describe(key, st), nil
}

// List goes through one folder at a time, so that only its names are held.
func (f folder) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) { f.walk(ctx, ".", prefix, after, yield) }
}

func (f folder) walk(ctx context.Context, dir, prefix, after string, yield func(blob.Info, error) bool) bool {
	entries, err := fs.ReadDir(f.root.FS(), dir)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return yield(blob.Info{}, fmt.Errorf("list %s: %w", dir, fileError(err)))
	}
	// A folder sorts as its keys do, with the slash at its end.
	name := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(name(a), name(b)) })
	for _, e := range entries {
		key := path.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."): // .git, .DS_Store
		case e.IsDir():
			below := key + "/"
			// What lies below is all before after, or all outside of prefix.
			if !strings.HasPrefix(below, prefix) && !strings.HasPrefix(prefix, below) ||
				below < after && !strings.HasPrefix(after, below) {
				continue
			}
			if !f.walk(ctx, key, prefix, after, yield) {
				return false
			}
		case strings.HasPrefix(key, prefix) && key > after:
			st, err := f.root.Stat(key)
			if errors.Is(err, fs.ErrNotExist) || err != nil && leadsOut(err) || err == nil && !st.Mode().IsRegular() {
				continue // gone meanwhile, a link out of the source or to nowhere, a socket
			}
			if !yield(describe(key, st), err) || err != nil {
				return false
			}
		}
	}
	return true
}

func describe(key string, st fs.FileInfo) blob.Info {
	if st == nil {
		return blob.Info{Key: key}
	}
	return blob.Info{Key: key, Size: st.Size(), Modified: st.ModTime(),
		ETag: fmt.Sprintf("%x-%x", st.Size(), st.ModTime().UnixNano())}
}

// leadsOut says whether os.Root refused a path that leaves the folder; it has
// no name for that error.
func leadsOut(err error) bool { return strings.Contains(err.Error(), "path escapes from parent") }

// fileError gives the file system's errors the names that this program uses.
func fileError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%v: %w", err, upnext.ErrNotFound)
	case errors.Is(err, fs.ErrPermission), leadsOut(err), errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP):
		return fmt.Errorf("%v: %w", err, upnext.ErrInvalid)
	}
	return fmt.Errorf("%v: %w", err, upnext.ErrUnavailable)
}
