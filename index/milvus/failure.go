package milvus

import (
	"context"
	"errors"
	"fmt"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"google.golang.org/grpc"

	"upnext"
)

// codeCollectionNotFound is the server's code for a collection or an alias
// that is not there.
const codeCollectionNotFound = 100

// statusError is an answer that says no. The SDK keeps the text alone, on
// which nothing may be decided.
type statusError struct {
	code   int32 // since 2.3
	legacy commonpb.ErrorCode
	reason string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("milvus says %s (code %d, %s)", e.reason, e.code, e.legacy)
}

// statusErrors makes an error of every answer that says no.
func statusErrors(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if err := invoke(ctx, method, req, reply, cc, opts...); err != nil {
		return err
	}
	status, is := reply.(*commonpb.Status)
	if with, has := reply.(interface{ GetStatus() *commonpb.Status }); has {
		status, is = with.GetStatus(), true
	}
	//nolint:staticcheck // 2.3's servers answer by the old codes alone
	if !is || status.GetErrorCode() == commonpb.ErrorCode_Success && status.GetCode() == 0 {
		return nil
	}
	return &statusError{status.GetCode(), status.GetErrorCode(), status.GetReason()} //nolint:staticcheck // as above
}

// missing reports whether the server said that there is no such collection.
func missing(err error) bool {
	var said *statusError
	return errors.As(err, &said) && (said.code == codeCollectionNotFound || said.legacy == commonpb.ErrorCode_CollectionNotExists)
}

// refused reports whether the server was reached and said no.
func refused(err error) bool {
	var said *statusError
	return errors.As(err, &said)
}

func isNotFound(err error) bool { return errors.Is(err, upnext.ErrNotFound) }

// failed says what was being done and turns the library's error into one of
// ours. What is neither the caller's fault nor a missing collection may work
// later: the server restarts, loads, or holds back.
func (c *Collections) failed(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, upnext.ErrNotFound), errors.Is(err, upnext.ErrConflict), errors.Is(err, upnext.ErrInvalid), errors.Is(err, upnext.ErrUnavailable):
		return fmt.Errorf("%s: %w", doing, err)
	case missing(err):
		return fmt.Errorf("%s: %w: %w", doing, upnext.ErrNotFound, err)
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	return fmt.Errorf("%s: %w: %w", doing, upnext.ErrUnavailable, err)
}
