package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"upnext"
)

// Checkpoints keep what was counted of all events over a restart: counting them
// anew takes minutes where there are many. What is kept can be counted again, and
// is of no use to anybody else.
type Checkpoints interface {
	// Save keeps what write writes, whole or not at all, in place of the former.
	Save(ctx context.Context, t upnext.Tenant, write func(io.Writer) error) error

	// Open returns what was saved last; ErrNotFound where there is none.
	Open(ctx context.Context, t upnext.Tenant) (io.ReadCloser, error)

	// Drop removes it. Where there is none that is not an error.
	Drop(ctx context.Context, t upnext.Tenant) error
}

// checkpointHead says what the counts behind it are of. They hold where all of it
// is as it was.
type checkpointHead struct {
	Format    int
	Settings  string         // version
	Tail      int64          // Seq of the last event counted
	Last      upnext.EventID // its id: another database has another one there
	Withdrawn int64          // see upnext.Events: nothing was taken back since
	At        time.Time
}

// checkpointFormat changes with the layout, and with what is counted.
const checkpointFormat = 1

// How long a checkpoint may take at the end of the process, and after which time
// the first one is made where all was counted anew.
const (
	lastCheckpoint  = 20 * time.Second
	firstCheckpoint = 10 * time.Second
)

// resumeCounts takes the counts of the last checkpoint, if they still hold. The
// caller holds following, and the shelf is up to date. A checkpoint that is away or
// damaged costs the time to count anew, and no more.
func (r *Recommender) resumeCounts(ctx context.Context, tn *tenant) error {
	if r.Checkpoints == nil || tn.tail > 0 { // it was loaded in part, before something failed
		return nil
	}
	withdrawn, err := r.Events.Withdrawn(ctx, tn.name)
	if err != nil {
		return err
	}
	tn.withdrawn = withdrawn // as of before any event is read: what is taken back from now on is missed by nobody
	from, err := r.Checkpoints.Open(ctx, tn.name)
	if errors.Is(err, upnext.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = r.load(ctx, tn, from)
		err = errors.Join(err, from.Close())
	}
	if err != nil {
		r.Logger.Warn("events are counted anew", "tenant", tn.name, "error", err)
	}
	return ctx.Err()
}

func (r *Recommender) load(ctx context.Context, tn *tenant, from io.Reader) error {
	file := bufio.NewReaderSize(from, 1<<18)
	line, err := file.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	var head checkpointHead
	if err := json.Unmarshal(line, &head); err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	if err := r.holds(ctx, tn, head); err != nil {
		return err
	}
	number := func(id upnext.ItemID) int32 {
		if it := tn.shelf.Item(id); it != nil {
			return it.Ord
		}
		return -1
	}
	if err := tn.crowd.Load(file, number); err != nil {
		return err
	}
	tn.tail, tn.saved = head.Tail, head.Tail
	return nil
}

// holds reports why a checkpoint is of no use; nil where it is.
func (r *Recommender) holds(ctx context.Context, tn *tenant, head checkpointHead) error {
	switch {
	case head.Format != checkpointFormat, head.Settings != r.version:
		return fmt.Errorf("the checkpoint is of another version or of other settings: %w", upnext.ErrConflict)
	case head.Withdrawn != tn.withdrawn:
		return fmt.Errorf("events were taken back since the checkpoint of %s: %w", head.At.Format(time.RFC3339), upnext.ErrConflict)
	}
	last, err := r.Events.Since(ctx, tn.name, head.Tail-1, 1)
	if err != nil {
		return err
	}
	if len(last) == 0 || last[0].Seq != head.Tail || last[0].ID != head.Last {
		return fmt.Errorf("the checkpoint is of other events, or of pruned ones: %w", upnext.ErrConflict)
	}
	return nil
}

// checkpoint saves the counts of all tenants from time to time, and at the end.
func (r *Recommender) checkpoint(ctx context.Context) {
	if r.Checkpoints == nil {
		return
	}
	next := time.NewTimer(firstCheckpoint)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			r.saveAll(ctx)
			next.Reset(r.Settings.CheckpointEvery)
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

// save writes a checkpoint, unless nothing was counted since the last one, or
// another process has taken back what is counted here: the next start counts anew.
func (r *Recommender) save(ctx context.Context, tn *tenant) error {
	if err := tn.following.lockIn(ctx); err != nil { // nothing is counted meanwhile
		return err
	}
	defer tn.following.Unlock()
	if !tn.loaded.Load() || tn.tail == 0 || tn.tail == tn.saved {
		return nil
	}
	withdrawn, err := r.Events.Withdrawn(ctx, tn.name)
	if err != nil || withdrawn != tn.withdrawn {
		return err
	}
	last, err := r.Events.Since(ctx, tn.name, tn.tail-1, 1)
	if err != nil || len(last) == 0 || last[0].Seq != tn.tail { // it was taken back or pruned: the one that comes next will do
		return err
	}
	head, err := json.Marshal(checkpointHead{checkpointFormat, r.version, tn.tail, last[0].ID, withdrawn, r.Now().UTC()})
	if err != nil {
		return err
	}
	names := tn.shelf.Names()
	err = r.Checkpoints.Save(ctx, tn.name, func(to io.Writer) error {
		if _, err := to.Write(append(head, '\n')); err != nil {
			return err
		}
		return tn.crowd.Save(to, names)
	})
	if err == nil {
		tn.saved = tn.tail
	}
	return err
}

// withdrew notes that events were taken back, and that the counts know: the
// checkpoint before does not. The caller holds following.
func (tn *tenant) withdrew() {
	tn.withdrawn++
	tn.saved = 0
}
