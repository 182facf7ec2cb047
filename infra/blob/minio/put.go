package minio

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // what S3 makes its ETags of
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"path"
	"strings"
	"time"

	sdk "github.com/minio/minio-go/v7"

	"upnext"
	"upnext/infra/blob"
)

// maxParts is how many parts an object may have: with parts of 16 MiB it may
// be 156 GiB long.
const maxParts = 10_000

// Put sends an object that fits into one part in one request, a longer one
// part by part, holding one part in memory. The bucket shows it when all of it
// is there; a reader that breaks off leaves nothing.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	name, err := s.key(key)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("put object %s: %w", key, err)
	}
	info, err := s.put(ctx, name, ctxReader{ctx, r})
	if err != nil {
		return blob.Info{}, fmt.Errorf("put object %s: %w", key, err)
	}
	info.Key = key
	return info, nil
}

func (s *Store) put(ctx context.Context, name string, r io.Reader) (blob.Info, error) {
	part, err := readPart(r, nil, s.address.PartSize)
	if err != nil {
		return blob.Info{}, err // the reader's, as it is
	}
	opts := sdk.PutObjectOptions{ContentType: kindOf(name)}
	var done sdk.UploadInfo
	size := int64(len(part))
	if size < s.address.PartSize {
		done, err = placed(ctx, func() (sdk.UploadInfo, error) {
			return s.client.PutObject(ctx, s.address.Bucket, name, bytes.NewReader(part), size, "", "", opts)
		})
		err = failure(ctx, err)
	} else {
		done, size, err = s.putParts(ctx, name, part, r, opts)
	}
	if err != nil {
		return blob.Info{}, err
	}
	return s.settled(ctx, name, done.ETag, size), nil
}

// placed tries a write again that was denied: MinIO says so as well where a
// Delete beside it takes away the folder at that moment. What is really denied
// stays so for a fifth of a second.
func placed(ctx context.Context, write func() (sdk.UploadInfo, error)) (done sdk.UploadInfo, err error) {
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		done, err = write()
		if sdk.ToErrorResponse(err).Code != sdk.AccessDenied || wait > 80*time.Millisecond {
			return done, err
		}
		select {
		case <-ctx.Done():
			return done, err
		case <-time.After(wait):
		}
	}
}

// readPart reads up to size bytes into a buffer that grows as far as it must;
// fewer than size are the last.
func readPart(r io.Reader, buffer []byte, size int64) ([]byte, error) {
	buffer = buffer[:0]
	for int64(len(buffer)) < size {
		if len(buffer) == cap(buffer) {
			grown := make([]byte, len(buffer), min(size, max(64<<10, 2*int64(cap(buffer)))))
			copy(grown, buffer)
			buffer = grown
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			return buffer, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return buffer, nil
}

// settled describes what was put. The time of writing is the server's, which
// only a head tells; where another Put or a Delete came right behind, or the
// server no longer answers, ours is near enough: the object was written.
func (s *Store) settled(ctx context.Context, name, etag string, size int64) blob.Info {
	info, err := s.head(ctx, name)
	if err == nil && info.ETag == etag {
		return info
	}
	return blob.Info{Size: size, ETag: etag, Modified: time.Now().UTC().Truncate(time.Second)}
}

// putParts sends a long object; part holds its first one. Whatever stops it,
// what was sent is taken back.
func (s *Store) putParts(ctx context.Context, name string, part []byte, r io.Reader, opts sdk.PutObjectOptions) (_ sdk.UploadInfo, size int64, err error) {
	id, err := s.client.NewMultipartUpload(ctx, s.address.Bucket, name, opts)
	if err != nil {
		return sdk.UploadInfo{}, 0, failure(ctx, err)
	}
	defer func() {
		if err != nil {
			s.abort(ctx, name, id)
		}
	}()
	var parts []sdk.CompletePart
	for n := 1; len(part) > 0; n++ {
		if n > maxParts {
			return sdk.UploadInfo{}, size, fmt.Errorf("longer than %d parts of %d bytes; part_mb in the address makes them longer: %w", maxParts, s.address.PartSize, upnext.ErrInvalid)
		}
		length := int64(len(part))
		p, err := s.client.PutObjectPart(ctx, s.address.Bucket, name, id, n, bytes.NewReader(part), length, sdk.PutObjectPartOptions{})
		if err != nil {
			return sdk.UploadInfo{}, size, fmt.Errorf("part %d: %w", n, failure(ctx, err))
		}
		parts = append(parts, sdk.CompletePart{PartNumber: n, ETag: p.ETag})
		size += length
		if length < s.address.PartSize {
			break // the reader has ended
		}
		if part, err = readPart(r, part, s.address.PartSize); err != nil {
			return sdk.UploadInfo{}, size, err
		}
	}
	done, err := placed(ctx, func() (sdk.UploadInfo, error) {
		return s.client.CompleteMultipartUpload(ctx, s.address.Bucket, name, id, parts, opts)
	})
	if sdk.ToErrorResponse(err).Code == sdk.NoSuchUpload {
		// It may have been completed by a try whose answer was lost.
		if info, herr := s.head(ctx, name); herr == nil && info.ETag == etagOf(parts) {
			return sdk.UploadInfo{ETag: info.ETag}, size, nil
		}
	}
	return done, size, failure(ctx, err)
}

// abort takes back the parts of an object that did not become whole, also
// where ctx has ended. Where even that fails, tidy or the bucket's lifecycle
// removes them.
func (s *Store) abort(ctx context.Context, name, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxKeyless)
	defer cancel()
	err := s.client.AbortMultipartUpload(ctx, s.address.Bucket, name, id)
	if err != nil && sdk.ToErrorResponse(err).Code != sdk.NoSuchUpload {
		s.logger.Warn("parts of a broken upload stay", "bucket", s.address.Bucket, "key", name, "error", err)
	}
}

// leftAfter is the age from which parts are nobody's; tidied is how many
// uploads are looked at when a store is opened.
const (
	leftAfter = 24 * time.Hour
	tidied    = 1000
)

// tidy removes parts that a killed process left behind. MinIO does that by
// itself, after a day; for Amazon's buckets a lifecycle rule
// (AbortIncompleteMultipartUpload) does it better, as it needs nobody to open
// the store.
func (s *Store) tidy(ctx context.Context) {
	found, err := s.client.ListMultipartUploads(ctx, s.address.Bucket, s.prefix, "", "", "", tidied)
	if err != nil {
		s.logger.Debug("parts of broken uploads cannot be listed", "bucket", s.address.Bucket, "error", err)
		return
	}
	for _, u := range found.Uploads {
		if time.Since(u.Initiated) > leftAfter && strings.HasPrefix(u.Key, s.prefix) {
			s.abort(ctx, u.Key, u.UploadID)
		}
	}
}

// etagOf is the ETag of an object of parts: the hash of their hashes.
func etagOf(parts []sdk.CompletePart) string {
	h := md5.New() //nolint:gosec // as above
	for _, p := range parts {
		sum, err := hex.DecodeString(strings.Trim(p.ETag, `"`))
		if err != nil {
			return ""
		}
		h.Write(sum)
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
}

// kindOf is the media type by the key's ending.
func kindOf(name string) string {
	if kind := mime.TypeByExtension(strings.ToLower(path.Ext(name))); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// ctxReader ends when its context does.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
