package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"upnext"
	"upnext/infra/blob"
)

// maxElement is the longest name of a file, in bytes, that every file system takes.
const maxElement = 255

// maxKey is the length of the longest key, in bytes, that S3 takes too.
const maxKey = 1024

// fileOf is the file of a key: each element as it is, but for what a file
// system might object to, which is percent-encoded.
func fileOf(key string) (string, error) {
	if len(key) > maxKey {
		return "", fmt.Errorf("key %.80q…: %d bytes, %d allowed: %w", key, len(key), maxKey, upnext.ErrInvalid)
	}
	if !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return "", fmt.Errorf("key %.80q: not UTF-8 text: %w", key, upnext.ErrInvalid)
	}
	parts := strings.Split(key, "/")
	for i, p := range parts {
		if p == "" || p == "." || p == ".." {
			return "", fmt.Errorf("key %.80q: element %d is empty, . or ..: %w", key, i+1, upnext.ErrInvalid)
		}
		if parts[i] = escape(p); len(parts[i]) > maxElement {
			return "", fmt.Errorf("key %.80q…: element %d is longer than %d bytes as a file name: %w", key, i+1, maxElement, upnext.ErrInvalid)
		}
	}
	return filepath.Join(parts...), nil
}

// escape encodes what is not safe in a file name everywhere. The leading dot
// is encoded, so that no key names the folder of temporary files.
func escape(p string) string {
	var b strings.Builder
	for i := range len(p) {
		c := p[i]
		if c < ' ' || strings.IndexByte(`%\:*?"<>|`, c) >= 0 || c == '.' && i == 0 || c == 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// keyOf is the inverse of escape; false for a file that is none of ours.
func keyOf(name string) (string, bool) {
	key, err := url.PathUnescape(name)
	return key, err == nil && escape(key) == name
}

// create makes a new temporary file.
func (s *Store) create() (string, *os.File, error) {
	name := filepath.Join(writing, rand.Text())
	f, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return name, f, err
}

// syncFolder makes a rename in a folder durable; where the folder is new, that
// of its parents too, up to the root.
func (s *Store) syncFolder(folder string, isNew bool) error {
	for {
		f, err := s.root.Open(folder)
		if err != nil {
			return err
		}
		err = f.Sync()
		f.Close()
		if err != nil || !isNew || folder == "." {
			return err
		}
		folder = filepath.Dir(folder)
	}
}

// infoOf describes a file. Its ETag is made of size, time of writing and inode:
// every Put makes a new file, so that no two contents of a key share all
// three, and listing need not read what it lists.
func infoOf(key string, st fs.FileInfo) blob.Info {
	inode := uint64(0)
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		inode = sys.Ino
	}
	etag := strconv.FormatInt(st.Size(), 36) + "-" + strconv.FormatInt(st.ModTime().UnixNano(), 36) + "-" + strconv.FormatUint(inode, 36)
	return blob.Info{Key: key, Size: st.Size(), ETag: etag, Modified: st.ModTime().UTC()}
}

// failure makes one of our errors of a file system's.
func failure(err error) error {
	var kind error
	switch {
	case err == nil, errors.Is(err, upnext.ErrInvalid), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		kind = upnext.ErrNotFound
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.EEXIST), errors.Is(err, syscall.ENOTEMPTY):
		kind = upnext.ErrConflict // one key is the folder of another
	case errors.Is(err, syscall.ENAMETOOLONG):
		kind = upnext.ErrInvalid
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EIO), errors.Is(err, fs.ErrPermission):
		kind = upnext.ErrUnavailable
	default:
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// ctxReader ends when its context does.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func readerOf(ctx context.Context, r io.Reader) io.Reader { return ctxReader{ctx, r} }

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
