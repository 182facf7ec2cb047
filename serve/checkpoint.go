package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"upnext"
)

// Checkpoints keep over a restart what memory holds of the catalogue and what was
// counted of all events: reading them anew takes minutes where there are many. What
// is kept can be read again, and is of no use to anybody else.
type Checkpoints interface {
	// Save keeps what write writes, whole or not at all, in place of the former.
	Save(ctx context.Context, t upnext.Tenant, part string, write func(io.Writer) error) error

	// Open returns what was saved last; ErrNotFound where there is none.
	Open(ctx context.Context, t upnext.Tenant, part string) (io.ReadCloser, error)

	// Drop removes it. Where there is none that is not an error.
	Drop(ctx context.Context, t upnext.Tenant, part string) error
}

// The parts of a tenant's checkpoint. Each holds or does not by itself.
const (
	itemsPart  = "items"
	countsPart = "counts"
)

// checkpointFormat changes with the layout, and with what is made of the events and
// of the catalogue.
const checkpointFormat = 1

// How long a checkpoint may take at the end of the process, and after which time
// the first one is made where all was read anew.
const (
	lastCheckpoint  = 20 * time.Second
	firstCheckpoint = 10 * time.Second
)

// checkpointShare is how many times as long as a checkpoint takes passes before the
// next one: with much to save they are made less often.
const checkpointShare = 100

// resume reads one part of the last checkpoint: a line that says what it is of,
// which check looks at, and what load makes of the rest. One that is away, damaged or
// out of date costs the time to read all anew, and no more.
func resume[H any](ctx context.Context, r *Recommender, tn *tenant, part string, check func(H) error, load func(io.Reader, H) error) error {
	from, err := r.Checkpoints.Open(ctx, tn.name, part)
	if errors.Is(err, upnext.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = func() error {
			file := bufio.NewReaderSize(from, 1<<18)
			line, err := file.ReadBytes('\n')
			if err != nil {
				return err
			}
			var head H
			if err := json.Unmarshal(line, &head); err != nil {
				return err
			}
			if err := check(head); err != nil {
				return err
			}
			return load(file, head)
		}()
		err = errors.Join(err, from.Close())
	}
	if err != nil {
		r.Logger.Warn("a checkpoint is of no use: all is read anew", "tenant", tn.name, "part", part, "error", err)
	}
	return ctx.Err()
}

// keepPart saves one part.
func (r *Recommender) keepPart(ctx context.Context, tn *tenant, part string, head any, write func(io.Writer) error) error {
	line, err := json.Marshal(head)
	if err != nil {
		return err
	}
	return r.Checkpoints.Save(ctx, tn.name, part, func(to io.Writer) error {
		if _, err := to.Write(append(line, '\n')); err != nil {
			return err
		}
		return write(to)
	})
}

// checkpoint saves what is held of all tenants from time to time, and at the end.
func (r *Recommender) checkpoint(ctx context.Context) {
	if r.Checkpoints == nil {
		return
	}
	next := time.NewTimer(firstCheckpoint)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			began := time.Now()
			r.saveAll(ctx)
			next.Reset(max(r.Settings.CheckpointEvery, checkpointShare*time.Since(began)))
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCheckpoint)
			defer cancel()
			r.saveAll(last)
			return
		}
	}
}

func (r *Recommender) saveAll(ctx context.Context) {
	for _, t := range r.Known() {
		if err := r.save(ctx, r.tenant(t)); err != nil && ctx.Err() == nil {
			r.Logger.Warn("no checkpoint", "tenant", t, "error", err)
		}
	}
}

// save writes what has changed since the last checkpoint.
func (r *Recommender) save(ctx context.Context, tn *tenant) error {
	if err := tn.following.lockIn(ctx); err != nil { // nothing is followed meanwhile
		return err
	}
	defer tn.following.Unlock()
	if !tn.loaded.Load() {
		return nil
	}
	return errors.Join(r.saveItems(ctx, tn), r.saveCounts(ctx, tn))
}
