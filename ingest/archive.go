package ingest

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"upnext"
	"upnext/infra/blob"
)

// maxMembers is how many members of an archive are known by name.
const maxMembers = 1_000_000

// archive is files of which one is a tar: its members can be opened in place
// as TAR/MEMBER, without unpacking it or holding more than its names.
type archive struct {
	files
	tar     string
	info    blob.Info
	members map[string]member
}

type member struct{ offset, size int64 }

// openArchive goes through the tar once, for where its members lie.
func openArchive(ctx context.Context, from files, key string) (*archive, error) {
	r, info, err := from.Open(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read
	a := &archive{files: from, tar: key, info: info, members: map[string]member{}}
	in := &counted{r: r}
	entries := tar.NewReader(in)
	for {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: byte %d: %v: %w", key, in.n, err, upnext.ErrInvalid)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg && len(a.members) < maxMembers {
			// The reader takes headers in whole blocks: it stands where the content begins.
			a.members[strings.TrimPrefix(h.Name, "./")] = member{in.n, h.Size}
		}
	}
}

// counted counts the bytes read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Open opens a member, or another file.
func (a *archive) Open(ctx context.Context, key string, offset int64) (io.ReadCloser, blob.Info, error) {
	m, ok := a.member(key)
	if !ok {
		return a.files.Open(ctx, key, offset)
	}
	r, info, err := a.files.Open(ctx, a.tar, m.offset+offset)
	if err == nil && info.ETag != a.info.ETag {
		err = errors.Join(fmt.Errorf("%s: changed during the import: %w", a.tar, upnext.ErrConflict), r.Close())
	}
	if err != nil {
		return nil, blob.Info{}, err
	}
	info.Key, info.Size, info.ETag = key, m.size, a.etag(m)
	return limited{io.LimitReader(r, m.size-offset), r}, info, nil
}

// Stat describes a member, or another file.
func (a *archive) Stat(ctx context.Context, key string) (blob.Info, error) {
	m, ok := a.member(key)
	if !ok {
		return a.files.Stat(ctx, key)
	}
	return blob.Info{Key: key, Size: m.size, ETag: a.etag(m), Modified: a.info.Modified}, nil
}

func (a *archive) etag(m member) string { return fmt.Sprintf("%s-%x", a.info.ETag, m.offset) }

func (a *archive) member(key string) (member, bool) {
	name, ok := strings.CutPrefix(key, a.tar+"/")
	m, there := a.members[name]
	return m, ok && there
}

type limited struct {
	io.Reader
	io.Closer
}
