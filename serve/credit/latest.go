package credit

import (
	"context"
	"time"

	"upnext"
)

// slack is how much a client's clock may be behind: an act may seem to be
// older than the answer that led to it.
const slack = upnext.MaxAhead

// findLatest makes the latest answers to the viewers of events without a token
// known, the newest first: most acts are about that one, and older ones are
// read only for what is not found there.
func (w *work) findLatest(ctx context.Context, events []upnext.Event) error {
	since := w.now
	var viewers []upnext.ViewerID
	asked := map[upnext.ViewerID]bool{}
	for i, e := range events {
		if !w.wanted(i, e) {
			continue
		}
		if from := e.At.Add(-w.Settings.Window); from.Before(since) {
			since = from
		}
		if !asked[e.Viewer] {
			asked[e.Viewer] = true
			viewers = append(viewers, e.Viewer)
		}
	}
	if len(viewers) == 0 {
		return nil
	}
	heads, err := w.Showings.LatestSlates(ctx, w.tenant, since, w.Settings.Answers, viewers...)
	if err != nil {
		return err
	}
	w.latest = map[upnext.ViewerID][]upnext.SlateHead{}
	for _, h := range heads {
		w.latest[h.Viewer] = append(w.latest[h.Viewer], h)
	}
	for depth := 1; ; depth *= 4 {
		var ids []upnext.SlateID
		for i, e := range events {
			if !w.wanted(i, e) {
				continue
			}
			if s, _ := w.showing(e); s != nil {
				continue
			}
			all := w.latest[e.Viewer]
			for _, h := range all[:min(len(all), depth)] {
				if inTime(h, e, w.Settings.Window) {
					ids = append(ids, h.ID)
				}
			}
		}
		if err := w.load(ctx, ids); err != nil || depth >= w.Settings.Answers {
			return err
		}
	}
}

// wanted says whether an event's answer must be looked for.
func (w *work) wanted(i int, e upnext.Event) bool {
	_, claimed := w.claims[i]
	return !claimed && counts(e) && w.now.Sub(e.At) <= w.Settings.Keep-w.Settings.Window
}

// showing is the latest answer that showed the event's item to its viewer
// before it happened or, by a clock that is behind, the first one after it; nil
// where there is none, or an answer that it may be in is not loaded yet.
func (w *work) showing(e upnext.Event) (best *upnext.Showing, place upnext.ShownItem) {
	for _, h := range w.latest[e.Viewer] {
		if !inTime(h, e, w.Settings.Window) {
			continue
		}
		s, loaded := w.shown[h.ID]
		if !loaded {
			return nil, upnext.ShownItem{}
		}
		if s == nil { // gone meanwhile
			continue
		}
		if on := find(s, e.Item); on != nil {
			best, place = s, *on
			if !h.At.After(e.At) {
				break
			}
		}
	}
	return best, place
}

// inTime says whether an act may be about an answer.
func inTime(h upnext.SlateHead, e upnext.Event, window time.Duration) bool {
	return !h.At.After(e.At.Add(slack)) && !h.At.After(e.ReceivedAt) && e.At.Sub(h.At) <= window
}
