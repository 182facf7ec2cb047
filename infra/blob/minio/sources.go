package minio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"upnext"
)

// anyBucket in an address stands for every bucket that the credentials open.
const anyBucket = "*"

// Sources are the parts of buckets that imports may read, and whose.
type Sources struct {
	open      []source
	creds     *credentials.Credentials
	transport http.RoundTripper
	logger    *slog.Logger

	mu     sync.Mutex
	stores map[string]*Store // by endpoint and bucket
}

type source struct {
	Address
	tenant upnext.Tenant // empty: every tenant's
}

// NewSources reads a list of addresses; nothing is called yet. Each opens what
// lies at or below its prefix, to all tenants or to the one that tenant= names;
// s3://*?endpoint=… opens every bucket that the credentials do. Where two open
// the same, the first says at which endpoint. The parameters of a watch,
// on_missing= and format=, may stand there and mean nothing here.
func NewSources(addresses []string, logger *slog.Logger) (*Sources, error) {
	s := &Sources{creds: keys(), transport: newTransport(), logger: logger, stores: map[string]*Store{}}
	for _, text := range addresses {
		a, err := ParseAddress(text, "tenant", "on_missing", "format")
		if err != nil {
			return nil, err
		}
		if a.Create || a.Public != nil {
			return nil, fmt.Errorf("source %s: create and public are for the object store, not for sources: %w", a, upnext.ErrInvalid)
		}
		s.open = append(s.open, source{a, upnext.Tenant(a.Extra.Get("tenant"))})
	}
	return s, nil
}

// Open returns the whole of a bucket, if a source of the tenant's at key in it
// may be read. Else it is an ErrInvalid.
func (s *Sources) Open(ctx context.Context, t upnext.Tenant, bucket, key string) (*Store, error) {
	for _, from := range s.open {
		if from.opens(t, bucket, key) {
			return s.bucket(ctx, from.Address, bucket)
		}
	}
	return nil, fmt.Errorf("bucket %s: %q is not open to imports of tenant %s: %w", bucket, key, t, upnext.ErrInvalid)
}

func (s source) opens(t upnext.Tenant, bucket, key string) bool {
	return (s.tenant == "" || s.tenant == t) && (s.Bucket == anyBucket || s.Bucket == bucket) &&
		(s.Prefix == "" || key == s.Prefix || strings.HasPrefix(key, s.Prefix+"/"))
}

// bucket opens a bucket once; one that cannot be entered is tried anew each time.
func (s *Sources) bucket(ctx context.Context, a Address, bucket string) (*Store, error) {
	name := a.Endpoint.String() + "/" + bucket
	s.mu.Lock()
	store, ok := s.stores[name]
	s.mu.Unlock()
	if ok {
		return store, nil
	}
	a.Bucket, a.Prefix = bucket, ""
	opened, err := open(ctx, a, s.creds, s.transport, s.logger)
	if errors.Is(err, upnext.ErrNotFound) {
		err = fmt.Errorf("%v: %w", err, upnext.ErrInvalid) // for whoever named the source
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stores[name] = opened
	return opened, nil
}
