package serve

import (
	"context"
	"fmt"
	"io"
	"time"

	"upnext"
)

// countsHead says what counts are of. They hold where all of it is as it was.
type countsHead struct {
	Format    int
	Settings  string         // version
	Tail      int64          // Seq of the last event counted
	Last      upnext.EventID // its id: another database has another one there
	Withdrawn int64          // see upnext.Withdrawals: nothing was taken back since
	At        time.Time
}

// resumeCounts takes the counts of the last checkpoint, if they still hold. The
// caller holds following, and the shelf is up to date.
func (r *Recommender) resumeCounts(ctx context.Context, tn *tenant) error {
	if r.Checkpoints == nil || tn.tail > 0 { // it was loaded in part, before something failed
		return nil
	}
	withdrawn, err := r.Withdrawals.Withdrawn(ctx, tn.name)
	if err != nil {
		return err
	}
	tn.withdrawn = withdrawn // as of before any event is read: what is taken back from now on is missed by nobody
	number := func(id upnext.ItemID) int32 {
		if it := tn.shelf.Item(id); it != nil {
			return it.Ord
		}
		return -1
	}
	return resume(ctx, r, tn, countsPart, func(head countsHead) error { return r.countsHold(ctx, tn, head) }, func(from io.Reader, head countsHead) error {
		if err := tn.crowd.Load(from, number); err != nil {
			return err
		}
		tn.tail, tn.savedTail = head.Tail, head.Tail
		return nil
	})
}

// countsHold reports why saved counts are of no use; nil where they are.
func (r *Recommender) countsHold(ctx context.Context, tn *tenant, head countsHead) error {
	switch {
	case head.Format != checkpointFormat, head.Settings != r.version:
		return fmt.Errorf("it is of another version or of other settings: %w", upnext.ErrConflict)
	case head.Withdrawn != tn.withdrawn:
		return fmt.Errorf("events were taken back since %s: %w", head.At.Format(time.RFC3339), upnext.ErrConflict)
	}
	last, err := r.Events.Since(ctx, tn.name, head.Tail-1, 1)
	if err != nil {
		return err
	}
	if len(last) == 0 || last[0].Seq != head.Tail || last[0].ID != head.Last {
		return fmt.Errorf("it is of other events, or of pruned ones: %w", upnext.ErrConflict)
	}
	return nil
}

// saveCounts saves the counts, unless nothing was counted since the last time, or
// another process has taken back what is counted here: the next start counts anew.
func (r *Recommender) saveCounts(ctx context.Context, tn *tenant) error {
	if tn.tail == 0 || tn.tail == tn.savedTail {
		return nil
	}
	withdrawn, err := r.Withdrawals.Withdrawn(ctx, tn.name)
	if err != nil || withdrawn != tn.withdrawn {
		return err
	}
	last, err := r.Events.Since(ctx, tn.name, tn.tail-1, 1)
	if err != nil || len(last) == 0 || last[0].Seq != tn.tail { // it was taken back or pruned: the one that comes next will do
		return err
	}
	names := tn.shelf.Names()
	head := countsHead{checkpointFormat, r.version, tn.tail, last[0].ID, withdrawn, r.Now().UTC()}
	if err := r.keepPart(ctx, tn, countsPart, head, func(to io.Writer) error { return tn.crowd.Save(to, names) }); err != nil {
		return err
	}
	tn.savedTail = tn.tail
	return nil
}

// withdrew notes that events were taken back, and that the counts know: the
// checkpoint before does not. The caller holds following.
func (tn *tenant) withdrew() {
	tn.withdrawn++
	tn.savedTail = 0
}
