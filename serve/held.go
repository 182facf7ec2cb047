package serve

import (
	"context"
	"fmt"

	"upnext"
)

// Held returns the names under which the stores hold something of a viewer:
// their own first, then of those who were merged into them. Answers that wait to
// be recorded are recorded before.
func (r *Recommender) Held(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) ([]upnext.ViewerID, error) {
	r.flushSlates(ctx)
	names, err := r.all(ctx, t, viewer)
	if err != nil {
		return nil, fmt.Errorf("what is held of %s: %w", viewer, err)
	}
	return names, nil
}
