package serve

import (
	"upnext"
	"upnext/learn/bundle"
)

// Swap brings a bundle of models into use: requests that begin from now on are
// answered by it, those under way by the one they began with. nil takes the
// models away. It neither waits nor is waited for.
func (r *Recommender) Swap(t upnext.Tenant, b *bundle.Bundle) {
	tn := r.tenant(t)
	former := tn.bundle.Swap(b)
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

// Took says whether an event speaks for its item, by the weights of events:
// what models learn from. The tenant must be loaded.
func (r *Recommender) Took(t upnext.Tenant, e upnext.Event) bool {
	return r.takenTo(r.tenant(t), e) != nil
}

// Features are the names of what a score is made of.
func (r *Recommender) Features() []string { return featureNames[:] }
