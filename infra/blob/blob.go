// Package blob is the port of the object store: where catalogues, pictures
// and models lie. Engines are dir (a folder) and minio; blobtest says what
// each promises.
package blob

import (
	"context"
	"io"
	"iter"
	"time"
)

// Info describes an object.
type Info struct {
	Key      string
	Size     int64  // bytes
	ETag     string // changes when the content changes
	Modified time.Time
}

// Store keeps objects by key. Keys are UTF-8 paths of at most 1,024
// bytes with / between, without empty, "." or ".." elements; others are
// ErrInvalid. Safe for concurrent use.
type Store interface {
	// Put writes an object whole or not at all, replacing what was there. A key
	// that is the folder of another ("a" beside "a/b") may be an ErrConflict.
	Put(ctx context.Context, key string, r io.Reader) (Info, error)

	// Open returns the object's bytes from offset on; the caller closes. A
	// missing one is ErrNotFound.
	Open(ctx context.Context, key string, offset int64) (io.ReadCloser, Info, error)

	// Stat describes an object without reading it.
	Stat(ctx context.Context, key string) (Info, error)

	// List yields the objects whose key begins with prefix and is greater than
	// after, in byte order of the keys.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]

	// Delete removes an object. An absent one is not an error.
	Delete(ctx context.Context, key string) error
}

// Signer is a Store that lets others read an object without us, for a while.
type Signer interface {
	// SignedURL returns a URL that reads the object until ttl has passed. It may
	// not look whether there is one. Where others cannot reach the store it is
	// empty: then serve the bytes yourself.
	SignedURL(ctx context.Context, key string, ttl time.Duration) (string, error)

	// SignedOrigin is the scheme and host of those URLs, as a page's security
	// policy names them; empty where there are none.
	SignedOrigin() string
}

// Located is a Store in a bucket that others may know by its own name.
type Located interface {
	// Location is the bucket, with its server, and what precedes our keys in it.
	Location() (bucket, prefix string)
}
