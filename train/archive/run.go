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
	log, err := a.Retention.Log(ctx, t)
	if err != nil {
		return done, err
	}
	if done.Events, err = drain(ctx, a, t, a.events(t), log, all); err != nil {
		return done, err
	}
	if done.Slates, err = drain(ctx, a, t, a.slates(t), log, all); err != nil {
		return done, err
	}
	if prune && a.Keep.Latest > 0 {
		done.Pruned, err = a.prune(ctx, t, log)
	}
	return done, err
}

// drain writes batches while they are due, or until nothing waits that was
// there when the round began.
func drain[S any, R record](ctx context.Context, a *Archive, t upnext.Tenant, s stream[S, R], log upnext.Log, all bool) (int, error) {
	for total := 0; ; {
		due := all
		if !all {
			var err error
			if due, err = s.due(ctx, a, t, log); err != nil {
				return total, err
			}
		}
		if !due {
			return total, nil
		}
		// What came since the log was looked at may be in the batch.
		now, err := a.Retention.Log(ctx, t)
		if err != nil {
			return total, err
		}
		n, moved, err := s.batch(ctx, a, t, now)
		total += n
		if err != nil {
			return total, err
		}
		at, err := a.load(ctx, t, s.set, now)
		if err != nil {
			return total, err
		}
		if !moved || at.After >= headOf(log, s.set) {
			return total, nil
		}
	}
}

// prune removes from the database what is archived and not kept.
func (a *Archive) prune(ctx context.Context, t upnext.Tenant, log upnext.Log) (int, error) {
	at, err := a.load(ctx, t, events, log)
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
