package serve

import (
	"context"
	"fmt"
	"sync"
	"time"

	"upnext"
)

// beatSlack is how far clocks of replicas may differ: so much of what was read
// before is read again.
const beatSlack = 10 * time.Second

// beats are the latest signs of life of a tenant's live streams. Requests read
// them without a lock.
type beats struct {
	latest sync.Map  // upnext.Beat by upnext.ItemID
	newest time.Time // At of the newest that was read; under tenant.following
}

func (b *beats) note(beat upnext.Beat) {
	for {
		before, there := b.latest.LoadOrStore(beat.Item, beat)
		if !there || before.(upnext.Beat).At.After(beat.At) || b.latest.CompareAndSwap(beat.Item, before, beat) {
			return
		}
	}
}

// lapsed reports whether an item has given signs of life and does so no more.
// Of one that never did nothing is known.
func (b *beats) lapsed(id upnext.ItemID, now time.Time) bool {
	beat, ok := b.latest.Load(id)
	return ok && !now.Before(beat.(upnext.Beat).Until)
}

// Beat keeps that a live stream is on for as long as ttl from now: this replica
// knows at once, others within Settings.FollowEvery. An item that has ever had a
// beat is shown only while beats come.
func (r *Recommender) Beat(ctx context.Context, t upnext.Tenant, id upnext.ItemID, ttl time.Duration) (upnext.Beat, error) {
	now := r.Now().UTC().Truncate(time.Microsecond)
	beat := upnext.Beat{Item: id, At: now, Until: now.Add(ttl)}
	if err := r.Beats.PutBeat(ctx, t, beat); err != nil {
		return upnext.Beat{}, fmt.Errorf("heartbeat: %w", unavailable(err))
	}
	r.tenant(t).beats.note(beat)
	return beat, nil
}

// followBeats reads what came since the last look.
func (r *Recommender) followBeats(ctx context.Context, tn *tenant) error {
	since := tn.beats.newest
	if !since.IsZero() {
		since = since.Add(-beatSlack)
	}
	all, err := r.Beats.BeatsSince(ctx, tn.name, since)
	if err != nil {
		return fmt.Errorf("follow the heartbeats: %w", err)
	}
	for _, beat := range all {
		tn.beats.note(beat)
		if beat.At.After(tn.beats.newest) {
			tn.beats.newest = beat.At
		}
	}
	return nil
}
