package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"strings"

	"upnext"
	"upnext/infra/blob"
)

// locate returns the store that a source lies in. A source in the bucket of
// our own object store is one of its prefixes, and must be the tenant's.
func (im *Importer) locate(ctx context.Context, t upnext.Tenant, p place) (place, blob.Store, error) {
	own := im.Pipeline.Blobs
	if p.bucket == "" {
		return p, own, nil
	}
	bucket, prefix := location(own)
	if im.Buckets == nil {
		if path.Base(bucket) == p.bucket {
			return inOwn(t, p, prefix, own)
		}
		return p, nil, fmt.Errorf("no buckets are open to imports; the setting is --s3-sources: %w", upnext.ErrInvalid)
	}
	store, err := im.Buckets(ctx, t, p.bucket, p.key)
	if errors.Is(err, upnext.ErrInvalid) && path.Base(bucket) == p.bucket {
		return inOwn(t, p, prefix, own)
	}
	if err != nil {
		return p, nil, err
	}
	where, _ := location(store)
	if where == bucket && where != "" {
		return inOwn(t, p, prefix, own)
	}
	return p, store, nil
}

// inOwn makes a source of the object store of one in its bucket.
func inOwn(t upnext.Tenant, p place, prefix string, own blob.Store) (place, blob.Store, error) {
	key, ok := strings.CutPrefix(p.key+"/", prefix)
	if !ok || !owns(t, key) {
		return p, nil, fmt.Errorf("it is in the bucket of the object store, where what is tenant %s's begins with %q: %w", t, prefix+prefixOf(t), upnext.ErrInvalid)
	}
	key = strings.TrimSuffix(key, "/")
	return place{key: key, clean: "blob:" + key}, own, nil
}

// location is where a store lies; empty where it lies in no bucket.
func location(s blob.Store) (bucket, prefix string) {
	if l, ok := s.(blob.Located); ok {
		return l.Location()
	}
	return "", ""
}

// etag is that of an object of the entry's folder as it was listed; empty
// where it is not known.
func (e entry) etag(key string) string {
	name, ok := strings.CutPrefix(key, e.Key)
	for i := range min(len(e.Parts), len(e.ETags)) {
		if ok && e.Parts[i] == name {
			return e.ETags[i]
		}
	}
	return ""
}

// versionName names what an object of a bucket held under an ETag. It is a
// name of the content as the hash of the bytes is, which a listing tells
// without reading them; only the same bytes under two keys have two.
func (s *source) versionName(key, etag string) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q %q %q", s.bucket, key, etag)))[:contentName]
}

// fetched returns the key of a copy that was made of an object of a bucket by
// an earlier import; empty where there is none. Where the listing did not tell
// the object's version, its head does.
func (im *Importer) fetched(ctx context.Context, s *source, t upnext.Tenant, key, etag string) (string, error) {
	if etag == "" {
		info, err := s.files.Stat(ctx, key)
		if err != nil {
			return "", err
		}
		etag = info.ETag
	}
	to := contentKey(t, s.versionName(key, etag), key)
	_, err := im.Pipeline.Blobs.Stat(ctx, to)
	if errors.Is(err, upnext.ErrNotFound) {
		return "", nil
	}
	return to, err
}

// contentKey is where a copy of a source's object lies.
func contentKey(t upnext.Tenant, name, key string) string {
	return prefixOf(t) + contentDir + "/" + name + strings.ToLower(path.Ext(key))
}
