package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/serve/credit"
)

// measurePage is how many events one transaction attributes.
const measurePage = 2000

// settle is how long an event waits before it is attributed: answers are
// written after they were given, by this process or another.
const settle = time.Second

// measure attributes the tenants' events and counts them, behind the request
// path, until ctx ends. Of several processes one works at a time; whoever
// finds that another was further leaves off.
func (r *Recommender) measure(ctx context.Context) {
	tick := time.NewTicker(r.Settings.MeasureEvery)
	defer tick.Stop()
	pruned, shown := time.Time{}, time.Time{}
	succeeded, labels := map[upnext.Tenant]time.Time{}, map[shownLabels]bool{}
	for {
		for _, t := range r.Known() {
			now := time.Now()
			err := r.Measure(ctx, t)
			if err == nil || succeeded[t].IsZero() {
				succeeded[t] = now
			}
			if err != nil && ctx.Err() == nil {
				r.Logger.Error("events not measured", "tenant", t, "error", err)
				r.meters.measure.behind.WithLabelValues(string(t)).Set(now.Sub(succeeded[t]).Seconds())
			}
		}
		if time.Since(pruned) >= pruneEvery {
			pruned = time.Now()
			r.pruneMeasures(ctx)
		}
		if time.Since(shown) >= showEvery {
			shown = time.Now()
			labels = r.showMeasured(ctx, labels)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Measure attributes a tenant's events up to now, less those of the last
// second, and counts them. It returns when that is done.
func (r *Recommender) Measure(ctx context.Context, t upnext.Tenant) error {
	if r.Locks != nil {
		release, err := r.Locks.Lock(ctx, "measure/"+string(t))
		if err != nil {
			return fmt.Errorf("measure: %w", err)
		}
		defer release()
	}
	tn, err := r.open(ctx, t) // items' kinds and lengths are read from the shelf
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	after, err := r.Measures.Followed(ctx, t)
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	for {
		next, err := r.measurePage(ctx, tn, after)
		switch {
		case errors.Is(err, upnext.ErrConflict): // another process is at it
			return nil
		case err != nil:
			return fmt.Errorf("measure: %w", err)
		case next == after:
			return nil
		}
		after = next
	}
}

// measurePage attributes the events after a Seq and returns the last one's.
func (r *Recommender) measurePage(ctx context.Context, tn *tenant, after int64) (int64, error) {
	events, err := r.Events.Since(ctx, tn.name, after, measurePage)
	if err != nil {
		return after, err
	}
	now := r.Now()
	for i, e := range events {
		// A clock that is ahead of this one must not hold everything up.
		if e.ReceivedAt.After(now.Add(-settle)) && !e.ReceivedAt.After(now.Add(settle)) {
			events = events[:i]
			break
		}
	}
	if len(events) == 0 {
		r.meters.measure.behind.WithLabelValues(string(tn.name)).Set(0)
		return after, nil
	}
	done, err := r.credit.Attribute(ctx, tn.name, now, events)
	if err != nil {
		return after, err
	}
	upTo := events[len(events)-1].Seq
	if err := r.Measures.Attribute(ctx, tn.name, after, upTo, done.Attributions...); err != nil {
		return after, err
	}
	r.meters.measure.page(done)
	behind := 0.0
	if len(events) == measurePage {
		behind = now.Sub(events[len(events)-1].ReceivedAt).Seconds()
	}
	r.meters.measure.behind.WithLabelValues(string(tn.name)).Set(max(0, behind))
	return upTo, nil
}

func (r *Recommender) pruneMeasures(ctx context.Context) {
	now := r.Now()
	for _, t := range r.Known() {
		// A day longer than an answer can be claimed: what is counted once stays so.
		n, err := r.Measures.PruneMeasures(ctx, t, now.Add(-r.credit.Settings.Keep-24*time.Hour), now.Add(-r.Settings.MeasureKeep))
		switch {
		case err != nil && ctx.Err() == nil:
			r.Logger.Error("measures not pruned", "tenant", t, "error", err)
		case n > 0:
			r.Logger.Info("measures pruned", "tenant", t, "rows", n)
		}
	}
}

// newCredit returns what attributes this Recommender's events.
func newCredit(r *Recommender) *credit.Attributor {
	set := credit.DefaultSettings()
	set.Keep = max(r.Settings.SlateKeep, set.Window)
	return &credit.Attributor{
		Showings: r.Showings, Settings: set, Held: credit.NewHeld(set.Bytes),
		Verify: func(t upnext.Tenant, token string) (credit.Claim, error) {
			c, err := r.Verify(t, token)
			return credit.Claim{
				Slate: c.Slate, Item: c.Item, Rank: c.Rank, Variant: c.Variant, Propensity: c.Propensity, ShownAt: timeOf(c.Slate),
			}, err
		},
		Item: func(t upnext.Tenant, id upnext.ItemID) (upnext.Kind, time.Duration) {
			it := r.tenant(t).shelf.Item(id)
			if it == nil {
				return "", 0
			}
			return it.Item.Kind, it.Item.Duration
		},
	}
}

// timeOf reads when a slate was made from its id; the zero time where that is
// not one of ours.
func timeOf(id upnext.SlateID) time.Time {
	if len(id) != len("rec_")+ulid.EncodedSize {
		return time.Time{}
	}
	u, err := ulid.ParseStrict(string(id[len("rec_"):]))
	if err != nil {
		return time.Time{}
	}
	return u.Timestamp().UTC()
}
