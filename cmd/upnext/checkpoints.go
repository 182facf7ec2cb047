package main

import (
	"context"
	"errors"
	"io"
	"path"

	"upnext"
	"upnext/infra/blob"
)

// checkpoints are what memory holds, by tenant, in the object store: a server that
// starts with an empty disk finds there what another one has saved.
type checkpoints struct{ objects blob.Store }

func checkpointKey(t upnext.Tenant, part string) string {
	return path.Join("checkpoints", string(t), part)
}

// Save implements serve.Checkpoints.
func (c checkpoints) Save(ctx context.Context, t upnext.Tenant, part string, write func(io.Writer) error) error {
	from, to := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(to)
		to.CloseWithError(err) // nil ends the object, any other keeps it from being put
		written <- err
	}()
	_, err := c.objects.Put(ctx, checkpointKey(t, part), from)
	from.CloseWithError(io.ErrClosedPipe) // so that write ends where Put did first
	if failed := <-written; failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		return failed
	}
	return err
}

// Open implements serve.Checkpoints.
func (c checkpoints) Open(ctx context.Context, t upnext.Tenant, part string) (io.ReadCloser, error) {
	from, _, err := c.objects.Open(ctx, checkpointKey(t, part), 0)
	return from, err
}

// Drop implements serve.Checkpoints.
func (c checkpoints) Drop(ctx context.Context, t upnext.Tenant, part string) error {
	return c.objects.Delete(ctx, checkpointKey(t, part))
}
