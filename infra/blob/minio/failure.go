package minio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	sdk "github.com/minio/minio-go/v7"

	"upnext"
)

// failure makes one of our errors of the server's or the network's. Only the
// caller's own context counts as one: a timeout of a connection is not.
//
// Refused credentials are an ErrUnavailable: they are the operator's to mend,
// and no fault of the item or the request that met them. Open alone tells them
// as an ErrInvalid.
func failure(ctx context.Context, err error) error {
	if err == nil || ours(err) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	kind, hint := upnext.ErrUnavailable, ""
	answer := sdk.ToErrorResponse(err)
	switch {
	case answer.StatusCode == 0: // the network's
	case answer.Code == sdk.NoSuchBucket:
		kind, hint = upnext.ErrNotFound, "there is no such bucket: "
	case answer.StatusCode == http.StatusNotFound:
		kind = upnext.ErrNotFound
	case answer.Code == "RequestTimeTooSkewed":
		hint = "the clocks of this machine and of the server differ: "
	case answer.StatusCode == http.StatusForbidden, answer.StatusCode == http.StatusUnauthorized:
		hint = "refused; look at the credentials in the environment and what their policy allows: "
	case answer.StatusCode == http.StatusPreconditionFailed, answer.StatusCode == http.StatusConflict,
		answer.Code == "XMinioParentIsObject", answer.Code == "XMinioObjectExistsAsDirectory":
		kind = upnext.ErrConflict
	case answer.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		kind = upnext.ErrInvalid
	case answer.StatusCode == http.StatusTooManyRequests, answer.StatusCode == http.StatusRequestTimeout,
		answer.Code == "RequestTimeout", answer.Code == "SlowDown", answer.Code == "AuthorizationHeaderMalformed":
	case answer.StatusCode >= 300 && answer.StatusCode < 500:
		kind = upnext.ErrInvalid
	}
	if answer.Code != "" && answer.StatusCode != 0 {
		return fmt.Errorf("%s%s (%s, %d): %w", hint, strings.TrimSuffix(answer.Message, "."), answer.Code, answer.StatusCode, kind)
	}
	// Not wrapped: a timeout inside would look like the caller's.
	return fmt.Errorf("%v: %w", err, kind)
}

// ours says whether an error has one of our names already.
func ours(err error) bool {
	return errors.Is(err, upnext.ErrInvalid) || errors.Is(err, upnext.ErrNotFound) || errors.Is(err, upnext.ErrConflict) || errors.Is(err, upnext.ErrUnavailable)
}

// refused says whether the server turned the credentials down.
func refused(err error) bool {
	status := sdk.ToErrorResponse(err).StatusCode
	return status == http.StatusForbidden || status == http.StatusUnauthorized
}

// maxKey is the length of the longest key in bytes.
const maxKey = 1024

// checkKey holds a key against the port's rules. S3 would take more: keys that
// end with a slash, or hold empty elements.
func checkKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("key %.80q…: %d bytes, %d allowed: %w", key, len(key), maxKey, upnext.ErrInvalid)
	}
	if !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return fmt.Errorf("key %.80q: not UTF-8 text: %w", key, upnext.ErrInvalid)
	}
	n := 0
	for part := range strings.SplitSeq(key, "/") {
		if n++; part == "" || part == "." || part == ".." {
			return fmt.Errorf("key %.80q: element %d is empty, . or ..: %w", key, n, upnext.ErrInvalid)
		}
	}
	return nil
}
