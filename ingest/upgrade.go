package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"upnext"
)

// Upgrade fills the collection of Pipeline.Next in the background, for every
// tenant, while requests are answered from the one that is promoted and writes
// go to both. The marks are its state: after a restart, or an endpoint's
// absence, it goes on where it stood. Once the collection is full it stays at
// it, for what a write could not bring there.
type Upgrade struct {
	Pipeline *Pipeline
	Rate     float64         // items a second at most; 0 is as fast as the endpoints answer
	Auto     bool            // promote when it is full for the first time; else by Pipeline.Promote
	Tenants  []upnext.Tenant // besides those of the catalogue; nil is DefaultTenant
	Idle     time.Duration   // between two looks at a collection that is full; 0 is five seconds

	mu  sync.Mutex
	due time.Time // when the next item may go
}

// Run fills until ctx ends. What goes wrong is logged, shown as progress, and
// tried again, ever later.
func (u *Upgrade) Run(ctx context.Context) error {
	if u.Pipeline.Next == nil {
		return nil
	}
	compared := map[upnext.Tenant]bool{}
	idle := cmp.Or(u.Idle, finishSoon)
	wait := idle
	for {
		failed := false
		for _, t := range u.Pipeline.tenants(ctx, u.Tenants) {
			err := u.fill(ctx, t, !compared[t])
			compared[t] = compared[t] || err == nil
			if err != nil && ctx.Err() == nil {
				failed = true
				u.Pipeline.Logger.Warn("upgrade waits", "tenant", t, "collection", u.Pipeline.Next.Space.Name(), "wait", wait, "error", err)
			}
		}
		if wait = min(2*wait, time.Minute); !failed {
			wait = idle
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// fill embeds what is pending of a tenant, in one process at a time.
func (u *Upgrade) fill(ctx context.Context, t upnext.Tenant, compare bool) error {
	p := u.Pipeline
	b := &batch{tenant: t, lane: p.lanes()[1]}
	unlock, err := p.lock(ctx, "upgrade/%s/%s", t, b.lane.Space.Name())
	if err != nil {
		return err
	}
	defer unlock()
	if err := p.open(ctx, b); err != nil {
		return err
	}
	if compare {
		if err := p.agree(ctx, b); err != nil {
			return err
		}
	}
	f := filling{upgrade: u, batch: b, began: time.Now(), base: b.lane.counts.read()}
	if err := f.load(ctx); err != nil {
		return err
	}
	err = f.run(ctx)
	f.kept.Error = ""
	if err != nil && ctx.Err() == nil {
		f.kept.Error = err.Error()
	}
	// What was embedded is told even where the process is about to end.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, f.keep(last))
}

// pace waits until n more items may go.
func (u *Upgrade) pace(ctx context.Context, n int) error {
	if u.Rate <= 0 {
		return ctx.Err()
	}
	u.mu.Lock()
	if now := time.Now(); u.due.Before(now) {
		u.due = now
	}
	at := u.due
	u.due = u.due.Add(time.Duration(float64(n) / u.Rate * float64(time.Second)))
	u.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(at)):
		return nil
	}
}

// atOnce is how many items go together: at a slow rate few, so that it is even.
func (u *Upgrade) atOnce() int {
	if u.Rate <= 0 {
		return batchSize
	}
	return max(1, min(batchSize, int(u.Rate)))
}

// filling is one pass over what is pending.
type filling struct {
	upgrade *Upgrade
	batch   *batch
	began   time.Time
	base    Encoded // what had been embedded when the pass began
	former  Encoded // by earlier passes
	kept    upgraded
	written upgraded // of kept, as it is in the store
	saved   time.Time
	last    Encoded // when it was saved
}

// run takes pending items in, a few at once, until there are none.
func (f *filling) run(ctx context.Context) error {
	p, b := f.upgrade.Pipeline, f.batch
	after := upnext.ItemID("")
	for n := 0; ; {
		ids, err := p.Indexings.Pending(ctx, b.tenant, b.collection, after, f.upgrade.atOnce())
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return f.full(ctx, n)
		}
		if err := f.upgrade.pace(ctx, len(ids)); err != nil {
			return err
		}
		if err := p.againApart(ctx, b, ids); err != nil {
			return err
		}
		n += len(ids)
		after = ids[len(ids)-1]
		if time.Since(f.saved) >= saveUpgrade {
			if err := f.keep(ctx); err != nil {
				return err
			}
			f.log(n)
		}
	}
}

// full notes that the collection is full, and promotes it where that is wanted
// and was not done before: who has gone back to the former one means it.
func (f *filling) full(ctx context.Context, n int) error {
	p, b := f.upgrade.Pipeline, f.batch
	if n == 0 && !f.kept.Full.IsZero() && (!f.kept.Promoted.IsZero() || !f.upgrade.Auto) {
		return nil
	}
	tally, err := p.Indexings.Tally(ctx, b.tenant, b.collection)
	if err != nil {
		return err
	}
	if left := tally.Pending(); left > 0 {
		return fmt.Errorf("%d items came in behind, or cannot be embedded (the log says which)", left)
	}
	if f.kept.Full.IsZero() {
		f.kept.Full = p.Now()
		p.Logger.Info("upgrade complete", "tenant", b.tenant, "collection", b.collection, "items", tally.Searchable, "bare", tally.Bare)
	}
	if !f.upgrade.Auto || !f.kept.Promoted.IsZero() || tally.Items == 0 {
		return nil
	}
	// Kept first: who sees it promoted sees what it has cost.
	if err := f.keep(ctx); err != nil {
		return err
	}
	if err := p.Promote(ctx, b.tenant, b.collection, false); err != nil {
		return err
	}
	f.kept.Promoted = p.Now()
	return nil
}

func (f *filling) log(n int) {
	f.upgrade.Pipeline.Logger.Info("upgrade goes on", "tenant", f.batch.tenant, "collection", f.batch.collection, "items", n,
		"per_second", f.kept.PerSecond, "texts", f.kept.Texts, "images", f.kept.Images, "endpoint_seconds", f.kept.Busy.Seconds())
}

// Promote makes a collection the one that requests are answered from, at once.
// One without encoders here, or with pending items (unless forced), is an
// ErrConflict: it would answer less than the present one.
func (p *Pipeline) Promote(ctx context.Context, t upnext.Tenant, collection string, force bool) error {
	fail := func(err error) error { return fmt.Errorf("promote collection %s: %w", collection, err) }
	infos, err := p.Collections.List(ctx, t)
	if err != nil {
		return fail(err)
	}
	former, here := "", false
	for _, info := range infos {
		if here = here || info.Name == collection; info.Promoted {
			former = info.Name
		}
	}
	switch {
	case !here:
		return fail(upnext.ErrNotFound)
	case former == collection:
		return nil
	case !p.kept(collection):
		return fail(fmt.Errorf("no encoders for it are configured: texts could not be searched in it: %w", upnext.ErrConflict))
	}
	if !force {
		tally, err := p.Indexings.Tally(ctx, t, collection)
		if err != nil {
			return fail(err)
		}
		if n := tally.Pending(); n > 0 {
			return fail(fmt.Errorf("%d of %d items are not in it yet: %w", n, tally.Items, upnext.ErrConflict))
		}
	}
	if err := p.Collections.Promote(ctx, t, collection); err != nil {
		return fail(err)
	}
	p.Logger.Info("collection promoted", "tenant", t, "collection", collection, "former", former, "forced", force)
	if p.OnChange != nil {
		p.OnChange(t)
	}
	return nil
}

// kept says whether a collection has encoders here.
func (p *Pipeline) kept(collection string) bool {
	for _, l := range p.lanes() {
		if l.Space.Name() == collection {
			return true
		}
	}
	return false
}

// Drop removes a collection that nothing fills any more, and its marks. One
// that is promoted or has encoders here is an ErrConflict.
func (p *Pipeline) Drop(ctx context.Context, t upnext.Tenant, collection string) error {
	fail := func(err error) error { return fmt.Errorf("drop collection %s: %w", collection, err) }
	if p.kept(collection) {
		return fail(fmt.Errorf("its encoders are configured, and would fill it again: %w", upnext.ErrConflict))
	}
	unlock, err := p.landing(ctx, t, collection)
	if err != nil {
		return fail(err)
	}
	defer unlock()
	if err := p.Collections.Drop(ctx, t, collection); err != nil {
		return fail(err)
	}
	p.Logger.Info("collection dropped", "tenant", t, "collection", collection)
	if err := p.Indexings.Forget(ctx, t, collection); err != nil {
		return fail(err)
	}
	if err := p.Blobs.Delete(ctx, upgradeKey(t, collection)); err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return fail(err)
	}
	return nil
}
