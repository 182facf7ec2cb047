package minio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	sdk "github.com/minio/minio-go/v7"

	"upnext"
	"upnext/infra/blob"
)

// object reads one version of an object, over as many connections as it takes.
type object struct {
	ctx   context.Context
	store *Store
	name  string
	info  blob.Info
	at    int64 // of the next byte
	body  io.ReadCloser
	tries int // to go on since the last byte
}

// get asks for an object from offset on.
func (s *Store) get(ctx context.Context, name string, offset int64) (io.ReadCloser, blob.Info, error) {
	if offset < 0 {
		return nil, blob.Info{}, fmt.Errorf("offset %d: %w", offset, upnext.ErrInvalid)
	}
	body, info, err := s.from(ctx, name, offset, "")
	if sdk.ToErrorResponse(err).StatusCode == http.StatusRequestedRangeNotSatisfiable {
		// There is no range at the end of an object, but there is an end.
		if info, err = s.head(ctx, name); err == nil && info.Size != offset {
			err = fmt.Errorf("offset %d of %d bytes: %w", offset, info.Size, upnext.ErrInvalid)
		}
		body = io.NopCloser(strings.NewReader(""))
	}
	if err != nil {
		return nil, blob.Info{}, err
	}
	return &object{ctx: ctx, store: s, name: name, info: info, at: offset, body: body}, info, nil
}

// from asks for the bytes from offset on, of the version with the ETag if one
// is given.
func (s *Store) from(ctx context.Context, name string, offset int64, etag string) (io.ReadCloser, blob.Info, error) {
	var opts sdk.GetObjectOptions
	if offset > 0 {
		if err := opts.SetRange(offset, 0); err != nil {
			return nil, blob.Info{}, fmt.Errorf("offset %d: %v: %w", offset, err, upnext.ErrInvalid)
		}
	}
	if etag != "" {
		if err := opts.SetMatchETag(etag); err != nil {
			return nil, blob.Info{}, fmt.Errorf("ETag %q: %v: %w", etag, err, upnext.ErrUnavailable)
		}
	}
	body, o, header, err := s.client.GetObject(ctx, s.address.Bucket, name, opts)
	if err != nil {
		return nil, blob.Info{}, err
	}
	info := describe(o)
	if offset > 0 {
		// The length that was sent is the range's; the whole one is behind the slash.
		_, total, _ := strings.Cut(header.Get("Content-Range"), "/")
		if info.Size, err = strconv.ParseInt(total, 10, 64); err != nil {
			return nil, blob.Info{}, errors.Join(fmt.Errorf("the server answers a range with Content-Range %q: %w", header.Get("Content-Range"), upnext.ErrUnavailable), body.Close())
		}
	}
	return body, info, nil
}

// Read reads on where the connection broke off, at most three times without
// getting any further.
func (o *object) Read(p []byte) (int, error) {
	for {
		n, err := o.body.Read(p)
		if n > 0 {
			o.at += int64(n)
			o.tries = 0
			return n, nil // an error comes again
		}
		switch {
		case err == nil:
			return 0, nil
		case errors.Is(err, io.EOF) && o.at >= o.info.Size:
			return 0, io.EOF
		case o.ctx.Err() != nil:
			return 0, fmt.Errorf("read object %s: %w", o.info.Key, o.ctx.Err())
		}
		if o.tries++; o.tries > 3 {
			return 0, fmt.Errorf("read object %s: broke off at %d of %d bytes: %v: %w", o.info.Key, o.at, o.info.Size, err, upnext.ErrUnavailable)
		}
		_ = o.body.Close() // it is broken
		body, _, err := o.store.from(o.ctx, o.name, o.at, o.info.ETag)
		if err != nil {
			o.body = io.NopCloser(strings.NewReader(""))
			return 0, fmt.Errorf("read object %s on from byte %d: %w", o.info.Key, o.at, failure(o.ctx, err))
		}
		o.body = body
	}
}

// Close gives the connection back.
func (o *object) Close() error { return o.body.Close() }
