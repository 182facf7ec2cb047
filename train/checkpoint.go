package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"upnext"
	"upnext/infra/blob"
	"upnext/learn/sequence"
)

// checkpoint keeps the state of one fitting in the object store.
type checkpoint struct {
	ctx   context.Context // of the run that it belongs to
	blobs blob.Store
	key   string
}

var _ sequence.Checkpoint = checkpoint{}

// Save replaces what is kept.
func (c checkpoint) Save(state []byte) error {
	if _, err := c.blobs.Put(c.ctx, c.key, bytes.NewReader(state)); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Load returns nothing where nothing was saved.
func (c checkpoint) Load() ([]byte, error) {
	in, _, err := c.blobs.Open(c.ctx, c.key, 0)
	if errors.Is(err, upnext.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	defer in.Close()
	state, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return state, nil
}

// checkpoints keeps those of a run apart by phase: a model is fitted twice.
func (r *Runner) checkpoints(ctx context.Context, t upnext.Tenant, run, phase string) Checkpoints {
	return func(model string) sequence.Checkpoint {
		return checkpoint{ctx, r.Blobs, checkpointsFolder(t, run) + phase + "-" + model}
	}
}

func checkpointsFolder(t upnext.Tenant, run string) string {
	return "models/" + string(t) + "/checkpoints/" + run + "/"
}

// forget drops the checkpoints of a run that has ended.
func (r *Runner) forget(ctx context.Context, t upnext.Tenant, run string) error {
	for info, err := range r.Blobs.List(ctx, checkpointsFolder(t, run), "") {
		if err == nil {
			err = r.Blobs.Delete(ctx, info.Key)
		}
		if err != nil {
			return fmt.Errorf("drop the checkpoints of %s: %w", run, err)
		}
	}
	return nil
}
