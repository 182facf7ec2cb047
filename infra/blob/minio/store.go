// Package minio is a bucket of MinIO, Amazon S3 or a server that speaks their
// protocol as an object store.
package minio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"time"

	sdk "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"upnext"
	"upnext/infra/blob"
)

// Store keeps objects in a bucket below a prefix. A Put holds at most one part
// of PartSize bytes in memory, a List one page of a thousand keys.
type Store struct {
	address Address
	prefix  string // of keys: empty, or ends with a slash
	client  *sdk.Core
	signer  *sdk.Client // for the address that browsers reach; nil: there is none
	logger  *slog.Logger
}

var (
	_ blob.Store   = (*Store)(nil)
	_ blob.Signer  = (*Store)(nil)
	_ blob.Located = (*Store)(nil)
)

// Open opens the bucket that an address names, see Address; credentials come
// from the environment. A bucket that is not there is an ErrNotFound, unless it
// is to be created, and one that the credentials do not open an ErrInvalid.
func Open(ctx context.Context, address string, logger *slog.Logger) (*Store, error) {
	a, err := ParseAddress(address)
	if err == nil && a.Bucket == anyBucket {
		err = fmt.Errorf("object store %s: name the bucket: %w", a, upnext.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, a, keys(), newTransport(), logger)
	if errors.Is(err, upnext.ErrNotFound) {
		err = fmt.Errorf("%w; create=true in the address makes it", err)
	}
	if err != nil {
		return nil, err
	}
	s.tidy(ctx)
	return s, nil
}

func open(ctx context.Context, a Address, creds *credentials.Credentials, transport http.RoundTripper, logger *slog.Logger) (*Store, error) {
	s := &Store{address: a, logger: logger}
	if a.Prefix != "" {
		s.prefix = a.Prefix + "/"
	}
	v, err := creds.GetWithContext(nil)
	if err != nil || v.AccessKeyID == "" {
		return nil, fmt.Errorf("object store %s: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or MINIO_ACCESS_KEY and MINIO_SECRET_KEY, or give the machine a role: %w", a, upnext.ErrInvalid)
	}
	if s.client, err = newClient(a.Endpoint, a, creds, transport); err == nil {
		err = s.enter(ctx)
	}
	if err == nil {
		err = s.prepareSigner(ctx, creds, transport)
	}
	if err != nil {
		return nil, fmt.Errorf("object store %s: %w", a, err)
	}
	return s, nil
}

// enter makes sure that the bucket is there and open to us.
func (s *Store) enter(ctx context.Context) error {
	there, err := s.client.BucketExists(ctx, s.address.Bucket)
	switch {
	case refused(err):
		return fmt.Errorf("%v: %w", failure(ctx, err), upnext.ErrInvalid)
	case err != nil:
		return failure(ctx, err)
	case there:
		return nil
	case !s.address.Create:
		return fmt.Errorf("there is no such bucket: %w", upnext.ErrNotFound)
	}
	err = s.client.MakeBucket(ctx, s.address.Bucket, sdk.MakeBucketOptions{Region: s.address.Region})
	if code := sdk.ToErrorResponse(err).Code; code == "BucketAlreadyOwnedByYou" {
		err = nil // another process was quicker
	}
	return failure(ctx, err)
}

// Location is where the store lies, so that a source in the same bucket can be
// told from one elsewhere.
func (s *Store) Location() (bucket, prefix string) {
	return s.address.Endpoint.String() + "/" + s.address.Bucket, s.prefix
}

// key is the key in the bucket.
func (s *Store) key(key string) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	if len(s.prefix)+len(key) > maxKey {
		return "", fmt.Errorf("key %.80q…: %d bytes with the prefix of the store, %d allowed: %w", key, len(s.prefix)+len(key), maxKey, upnext.ErrInvalid)
	}
	return s.prefix + key, nil
}

// Open asks for the object from offset on in one request, which the server
// answers from one version. Should the connection break off, the rest of that
// version is asked for.
func (s *Store) Open(ctx context.Context, key string, offset int64) (io.ReadCloser, blob.Info, error) {
	name, err := s.key(key)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, blob.Info{}, fmt.Errorf("open object %s: %w", key, err)
	}
	r, info, err := s.get(ctx, name, offset)
	if err != nil {
		return nil, blob.Info{}, fmt.Errorf("open object %s: %w", key, failure(ctx, err))
	}
	info.Key = key
	return r, info, nil
}

// Stat asks for the object's head.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	name, err := s.key(key)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat object %s: %w", key, err)
	}
	info, err := s.head(ctx, name)
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat object %s: %w", key, failure(ctx, err))
	}
	info.Key = key
	return info, nil
}

func (s *Store) head(ctx context.Context, name string) (blob.Info, error) {
	o, err := s.client.StatObject(ctx, s.address.Bucket, name, sdk.StatObjectOptions{})
	if err != nil {
		return blob.Info{}, err
	}
	return describe(o), nil
}

// Delete removes the object. In a bucket with versions the older ones stay.
func (s *Store) Delete(ctx context.Context, key string) error {
	name, err := s.key(key)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = failure(ctx, s.client.RemoveObject(ctx, s.address.Bucket, name, sdk.RemoveObjectOptions{}))
	}
	if err != nil {
		return fmt.Errorf("delete object %s: %w", key, err)
	}
	return nil
}

// List asks for a page at a time, as the caller gets there. What others have
// put into the bucket under keys that no Store holds is passed over: the
// folders that S3 consoles make end with a slash. MinIO itself passes over
// "a/b" where there is an "a", unless the prefix begins with "a/".
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		opts := sdk.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true, FetchOwner: new(bool)}
		last := ""
		if after != "" {
			last = s.prefix + after
		}
		if last > opts.Prefix {
			if !strings.HasPrefix(last, opts.Prefix) {
				return // all that begins so lies before
			}
			opts.StartAfter = last
		}
		for o := range s.client.ListObjectsIter(ctx, s.address.Bucket, opts) {
			if o.Err != nil {
				yield(blob.Info{}, fmt.Errorf("list objects %s: %w", prefix, failure(ctx, o.Err)))
				return
			}
			if err := ctx.Err(); err != nil {
				break
			}
			if o.Key <= last {
				if o.Key == opts.StartAfter {
					continue
				}
				yield(blob.Info{}, fmt.Errorf("list objects %s: the server does not list in the order of the keys: %q after %q: %w", prefix, o.Key, last, upnext.ErrUnavailable))
				return
			}
			last = o.Key
			info := describe(o)
			info.Key = strings.TrimPrefix(o.Key, s.prefix)
			if checkKey(info.Key) == nil && !yield(info, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil { // the library then only stops
			yield(blob.Info{}, fmt.Errorf("list objects %s: %w", prefix, err))
		}
	}
}

// describe makes Info of what the server says. A listing knows fractions of a
// second that a head does not: they are left out everywhere.
func describe(o sdk.ObjectInfo) blob.Info {
	return blob.Info{Key: o.Key, Size: o.Size, ETag: o.ETag, Modified: o.LastModified.UTC().Truncate(time.Second)}
}
