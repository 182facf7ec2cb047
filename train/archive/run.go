package archive

import (
	"context"
	"time"

	"upnext"
)

// Done is what a round did.
type Done struct {
	Events  int // archived
	Slates  int
	Dropped int // rows taken out again, for who asked to be forgotten
	Pruned  int // events removed from the database
}

// pruneEvery is how often Run prunes: it looks at every viewer of the tenant.
const pruneEvery = time.Hour

// Run archives what is due, for every tenant, until ctx ends. What fails is
// logged and tried again at the next round.
func (a *Archive) Run(ctx context.Context) {
	pruned := map[upnext.Tenant]time.Time{}
	tick := time.NewTicker(a.Every)
	defer tick.Stop()
	for {
		for _, t := range a.Tenants() {
			prune := a.Now().Sub(pruned[t]) >= pruneEvery
			_, err := a.round(ctx, t, false, prune)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				a.Logger.Error("archive failed", "tenant", t, "error", err)
			case prune:
				pruned[t] = a.Now()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// RunOnce archives everything that a tenant's database holds now, drops what is to
// be forgotten, and prunes. Beside an error it returns what was done until then.
func (a *Archive) RunOnce(ctx context.Context, t upnext.Tenant) (Done, error) {
	done, err := a.round(ctx, t, true, true)
	return done, wrap("archive", t, err)
}

func (a *Archive) round(ctx context.Context, t upnext.Tenant, all, prune bool) (done Done, err error) {
	unlock, err := a.lock(ctx, t)
	if err != nil {
		return done, err
	}
	defer unlock()
	if done.Dropped, err = a.dropForgotten(ctx, t); err != nil {
		return done, err
	}
	if done.Events, err = drain(ctx, a, t, a.events(t), all); err != nil {
		return done, err
	}
	if done.Slates, err = drain(ctx, a, t, a.slates(t), all); err != nil {
		return done, err
	}
	if prune && a.Keep.Latest > 0 {
		done.Pruned, err = a.prune(ctx, t)
	}
	return done, err
}

// drain writes batches while they are due, or until nothing waits that was
// there when it began.
func drain[S any, R record](ctx context.Context, a *Archive, t upnext.Tenant, s stream[S, R], all bool) (total int, err error) {
	_, until, err := a.load(ctx, t, s.set)
	if err != nil {
		return 0, err
	}
	for {
		due := all
		if !all {
			if due, err = s.due(ctx, a, t); err != nil {
				return total, err
			}
		}
		if !due {
			return total, nil
		}
		n, moved, err := s.batch(ctx, a, t)
		total += n
		if err != nil || !moved {
			return total, err
		}
		at, _, err := a.load(ctx, t, s.set)
		if err != nil || at.After >= until {
			return total, err
		}
	}
}

// prune removes from the database what is archived and not kept.
func (a *Archive) prune(ctx context.Context, t upnext.Tenant) (int, error) {
	at, _, err := a.load(ctx, t, events)
	if err != nil || at.After == 0 {
		return 0, err
	}
	n, err := a.Retention.PruneEvents(ctx, t, upnext.RetentionPolicy{
		Latest: a.Keep.Latest, Received: a.Now().Add(-a.Keep.For), Archived: at.After,
	})
	if n > 0 {
		a.Logger.Info("pruned", "tenant", t, "events", n)
	}
	return n, err
}

// Waiting returns about how many events and slates are not archived yet, for
// a gauge: numbers that grow without end say that the archive is stuck.
func (a *Archive) Waiting(ctx context.Context, t upnext.Tenant) (waiting struct{ Events, Slates int64 }, err error) {
	for set, n := range map[string]*int64{events: &waiting.Events, slates: &waiting.Slates} {
		at, head, err := a.load(ctx, t, set)
		if err != nil {
			return waiting, wrap("look at the archive", t, err)
		}
		*n = head - at.After
	}
	return waiting, nil
}
