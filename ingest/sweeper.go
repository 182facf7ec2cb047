package ingest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"upnext"
)

// How often Sweeper compares everything, how often it looks for pending items,
// and how soon after something went wrong.
const (
	compareEvery = time.Hour
	finishEvery  = 5 * time.Minute
	finishSoon   = 5 * time.Second
)

// Sweeper keeps every tenant's main collection complete: what a full disk, an
// engine or a crash left half way comes in by itself, without a restart.
type Sweeper struct {
	Pipeline *Pipeline
	Tenants  []upnext.Tenant // swept besides those of the catalogue; nil is DefaultTenant
	Soon     time.Duration   // how soon after a failure; 0 is five seconds, then ever longer
}

// First takes up what the last process left half way, before imports run: they
// would do the same work at the same time. What goes wrong is left to Run.
func (s *Sweeper) First(ctx context.Context) {
	for _, t := range s.Pipeline.tenants(ctx, s.Tenants) {
		s.sweep(ctx, t, s.Pipeline.finish)
	}
}

// Run sweeps again and again, until ctx ends: it compares at once and every
// hour, and looks for pending items every few minutes and soon after something
// went wrong. What goes wrong is logged, and tried again, ever later.
func (s *Sweeper) Run(ctx context.Context) error {
	soon := cmp.Or(s.Soon, finishSoon)
	wait := soon
	var compared, finished time.Time
	for {
		tenants, step := s.Pipeline.left(), s.Pipeline.finish
		if now := time.Now(); now.Sub(compared) >= compareEvery {
			step, compared, finished = s.Pipeline.Sweep, now, now
			tenants = append(tenants, s.Pipeline.tenants(ctx, s.Tenants)...)
		} else if now.Sub(finished) >= finishEvery {
			finished = now
			tenants = append(tenants, s.Pipeline.tenants(ctx, s.Tenants)...)
		}
		slices.Sort(tenants)
		failed := false
		for _, t := range slices.Compact(tenants) {
			if !s.sweep(ctx, t, step) {
				failed = true
			}
		}
		if wait = min(2*wait, finishEvery); !failed {
			wait = soon
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// sweep does one step for a tenant. A full comparison that failed is finished
// by the next one; what is pending is not left until then.
func (s *Sweeper) sweep(ctx context.Context, t upnext.Tenant, step func(context.Context, upnext.Tenant) error) bool {
	err := step(ctx, t)
	if err == nil || ctx.Err() != nil {
		return true
	}
	s.Pipeline.Logger.Error("sweep failed", "tenant", t, "error", err)
	s.Pipeline.leave(t)
	return false
}

// tenants are those that the catalogue knows, and some more.
func (p *Pipeline) tenants(ctx context.Context, more []upnext.Tenant) []upnext.Tenant {
	all := slices.Clone(more)
	if len(all) == 0 {
		all = []upnext.Tenant{upnext.DefaultTenant}
	}
	if c, ok := p.Catalog.(upnext.Tenants); ok {
		known, err := c.Tenants(ctx)
		if err != nil && ctx.Err() == nil {
			p.Logger.Warn("tenants cannot be listed", "error", err)
		}
		all = append(all, known...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
