package serve

import (
	"context"

	"upnext"
	"upnext/learn/bundle"
)

// Swap brings a bundle of models into use: requests that begin from now on are
// answered by it, those under way by the one they began with. nil takes the
// models away. It neither waits nor is waited for.
func (r *Recommender) Swap(t upnext.Tenant, b *bundle.Bundle) {
	tn := r.tenant(t)
	former := tn.bundle.Swap(b)
	r.viewers.letGo(t)
	r.Logger.Info("models swapped", "tenant", t, "version", versionOf(b), "former", versionOf(former))
}

// Bundle is what requests that begin now are answered by; nil where there are
// no models.
func (r *Recommender) Bundle(t upnext.Tenant) *bundle.Bundle { return r.tenant(t).bundle.Load() }

func versionOf(b *bundle.Bundle) string {
	if b == nil {
		return "none"
	}
	return b.Version
}

// Speaks returns what says, by the weights of events and by the catalogue as it
// is now, whether an event speaks for its item at all, and whether it says so
// clearly: a view does not, a play or a like does.
func (r *Recommender) Speaks(ctx context.Context, t upnext.Tenant) (func(upnext.Event) (atAll, clearly bool), error) {
	tn, err := r.open(ctx, t)
	if err != nil {
		return nil, unavailable(err)
	}
	return func(e upnext.Event) (bool, bool) {
		_, weight := r.spokenFor(tn, e)
		return weight > 0, weight >= takes
	}, nil
}

// Features are the names of what a score is made of.
func (r *Recommender) Features() []string { return featureNames[:] }
