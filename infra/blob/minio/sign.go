package minio

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// prepareSigner makes the client that signs for the address that browsers
// reach: the public one, or Amazon's own. Its region must be known, as a
// client without one would call the server, which from here may have another
// name.
func (s *Store) prepareSigner(ctx context.Context, creds *credentials.Credentials, transport http.RoundTripper) error {
	a := s.address
	public := a.Public
	if public == nil && a.Amazon {
		public = a.Endpoint
	}
	if public == nil {
		return nil
	}
	if a.Region == "" {
		region, err := s.client.GetBucketLocation(ctx, a.Bucket)
		if err != nil {
			return fmt.Errorf("region of the bucket, which region= in the address spares: %w", failure(ctx, err))
		}
		a.Region = region
	}
	core, err := newClient(public, a, creds, transport)
	if err == nil {
		s.signer = core.Client
	}
	return err
}

// SignedURL signs a GET of the object, without asking the server whether it is
// there. The answer is typed by the key's ending, whatever was uploaded with it.
func (s *Store) SignedURL(ctx context.Context, key string, ttl time.Duration) (string, error) {
	name, err := s.key(key)
	if err != nil {
		return "", fmt.Errorf("sign object %s: %w", key, err)
	}
	if s.signer == nil {
		return "", nil
	}
	u, err := s.signer.PresignedGetObject(ctx, s.address.Bucket, name, ttl, url.Values{
		"response-content-type": {kindOf(name)}, "response-cache-control": {fmt.Sprintf("private, max-age=%d", int(ttl.Seconds()))},
	})
	if err != nil {
		return "", fmt.Errorf("sign object %s: %w", key, failure(ctx, err))
	}
	return u.String(), nil
}

// SignedOrigin is the scheme and host of signed URLs; empty where there are none.
func (s *Store) SignedOrigin() string {
	if s.signer == nil {
		return ""
	}
	if u := s.signer.EndpointURL(); s.address.Public != nil {
		return u.Scheme + "://" + u.Host
	}
	return "https://*.amazonaws.com" // Amazon has a host for each bucket
}
