package serve

import (
	"context"
	"fmt"

	"upnext"
)

// Recorded returns an answer that was given, at any replica, for as long as
// slates are kept (Settings.SlateKeep): what was shown, by whom it was found, its
// features, scores and reasons, what answered. One that was asked to tell has its
// Trace besides, for Settings.TraceKeep. ErrNotFound: there is none of the
// tenant's under that id, its viewer was erased, it was not recorded, or its
// time is over. An answer that another replica has just given may not be written
// yet.
func (r *Recommender) Recorded(ctx context.Context, t upnext.Tenant, id upnext.SlateID) (upnext.Slate, error) {
	s, waits := r.slates.find(t, id)
	if !waits {
		var err error
		if s, err = r.Slates.Slate(ctx, t, id); err != nil {
			return upnext.Slate{}, fmt.Errorf("recommendation %s: %w", id, unavailable(err))
		}
	}
	age := r.Now().Sub(s.At)
	if age >= r.Settings.SlateKeep { // the next pruning takes it
		return upnext.Slate{}, fmt.Errorf("recommendation %s: %w", id, upnext.ErrNotFound)
	}
	if age >= r.Settings.TraceKeep {
		s.Trace = nil
	}
	return s, nil
}

// remember keeps with an answer what was asked, so that the same can be asked
// again; what is too long is left out.
func remember(s *upnext.Slate, request []byte) {
	if len(request) <= cursorInline {
		s.Request = request
	}
}

// RequestOf returns what was asked, without defaults; ErrNotFound where it was
// too long to be kept, or kept by another version.
func RequestOf(s upnext.Slate) (upnext.Request, error) {
	if len(s.Request) == 0 {
		return upnext.Request{}, fmt.Errorf("recommendation %s: what was asked was too long to be kept: %w", s.ID, upnext.ErrNotFound)
	}
	req, err := decodeRequest(s.Request)
	if err != nil {
		return upnext.Request{}, fmt.Errorf("recommendation %s: %w", s.ID, err)
	}
	return req, nil
}
