// Package credit finds the answer that an event is about: by the token that it
// carries or, without one, by the latest answer that showed the item to the
// viewer. It reads pages of events and asks the stores once for each page, not
// for each event.
package credit

import (
	"context"
	"strings"
	"time"

	"upnext"
)

// Claim is what a verified token says.
type Claim struct {
	Slate      upnext.SlateID
	Item       upnext.ItemID
	Rank       int
	Variant    string
	Propensity float64
	ShownAt    time.Time // by the slate's id
}

// Settings are the dials of attribution.
type Settings struct {
	Window  time.Duration // an event without a token is of an answer no older than this
	Keep    time.Duration // one with a token, than this; it should be what slates are kept for
	Answers int           // latest answers to a viewer that are looked through
	Bytes   int64         // of answers held in memory
}

// DefaultSettings are those of an installation that says nothing.
func DefaultSettings() Settings {
	return Settings{Window: 24 * time.Hour, Keep: 7 * 24 * time.Hour, Answers: 10, Bytes: 16 << 20}
}

// Attributor attributes events. It is safe for concurrent use.
type Attributor struct {
	Showings upnext.Showings
	Verify   func(t upnext.Tenant, token string) (Claim, error)
	// Item returns what the catalogue says of an item's kind and length.
	Item     func(t upnext.Tenant, id upnext.ItemID) (upnext.Kind, time.Duration)
	Settings Settings
	Held     *Held
}

// Result is what became of a page of events.
type Result struct {
	Attributions []upnext.Attribution
	Rejected     int // tokens that are not ours, or of an answer to another viewer
	None         int // events of items that no answer is known to have shown
}

// Attribute attributes a page of events. now bounds how old an answer may be.
func (a *Attributor) Attribute(ctx context.Context, t upnext.Tenant, now time.Time, events []upnext.Event) (Result, error) {
	w := &work{Attributor: a, tenant: t, now: now, claims: map[int]Claim{}, shown: map[upnext.SlateID]*upnext.Showing{}}
	w.readTokens(events)
	if err := w.load(ctx, w.claimed()); err != nil {
		return Result{}, err
	}
	if err := w.findLatest(ctx, events); err != nil {
		return Result{}, err
	}
	for i, e := range events {
		w.attribute(i, e)
	}
	return w.result, nil
}

// counts says whether an event speaks of an item at all.
func counts(e upnext.Event) bool {
	if e.Item == "" {
		return false
	}
	switch e.Kind {
	case upnext.NotInterested, upnext.Block, upnext.Mute:
		return e.Scope == upnext.ScopeItem
	case upnext.Follow, upnext.Unfollow, upnext.Search:
		return false
	}
	return true
}

// work is one page on its way.
type work struct {
	*Attributor
	tenant upnext.Tenant
	now    time.Time
	claims map[int]Claim // by the event's place
	shown  map[upnext.SlateID]*upnext.Showing
	latest map[upnext.ViewerID][]upnext.SlateHead
	result Result
}

// readTokens verifies the tokens. What the request path has let in is ours;
// an imported event may carry anything.
func (w *work) readTokens(events []upnext.Event) {
	for i, e := range events {
		if e.Token == "" || !counts(e) {
			continue
		}
		claim, err := w.Verify(w.tenant, e.Token)
		if err != nil || claim.Item != e.Item {
			w.result.Rejected++
			continue
		}
		if w.now.Sub(claim.ShownAt) <= w.Settings.Keep {
			w.claims[i] = claim
		}
	}
}

func (w *work) claimed() []upnext.SlateID {
	ids := make([]upnext.SlateID, 0, len(w.claims))
	for _, c := range w.claims {
		ids = append(ids, c.Slate)
	}
	return ids
}

// load makes showings known, from memory or the store.
func (w *work) load(ctx context.Context, ids []upnext.SlateID) error {
	var ask []upnext.SlateID
	for _, id := range ids {
		if _, known := w.shown[id]; known {
			continue
		}
		w.shown[id] = w.Held.get(w.tenant, id)
		if w.shown[id] == nil {
			ask = append(ask, id)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	found, err := w.Showings.ShowingsOf(ctx, w.tenant, ask...)
	if err != nil {
		return err
	}
	for _, s := range found {
		w.shown[s.Slate] = &s
		w.Held.Add(w.tenant, s)
	}
	return nil
}

func (w *work) attribute(i int, e upnext.Event) {
	if !counts(e) {
		return
	}
	claim, ok := w.claims[i]
	if !ok {
		if s, place := w.showing(e); s != nil {
			w.add(e, upnext.BySlate, s, place)
			return
		}
		w.result.None++
		return
	}
	place := upnext.ShownItem{Item: claim.Item, Rank: claim.Rank, Propensity: claim.Propensity}
	s := w.shown[claim.Slate]
	if s == nil { // not kept: the token alone says where
		w.add(e, upnext.ByToken, &upnext.Showing{Slate: claim.Slate, At: claim.ShownAt, Variant: claim.Variant}, place)
		return
	}
	// Somebody who signs in takes their page along; any two known viewers are two people.
	if s.Viewer != e.Viewer && !s.Viewer.Anonymous && !e.Viewer.Anonymous {
		w.result.Rejected++
		w.result.None++
		return
	}
	if on := find(s, e.Item); on != nil {
		place.Sources = on.Sources
	}
	w.add(e, upnext.ByToken, s, place)
}

func (w *work) add(e upnext.Event, by upnext.AttributedBy, s *upnext.Showing, place upnext.ShownItem) {
	kind, length := w.Item(w.tenant, e.Item)
	a := upnext.Attribution{
		Seq: e.Seq, Viewer: e.Viewer, By: by, Slate: s.Slate, Item: e.Item, ShownAt: s.At, Rank: place.Rank,
		Variant: s.Variant, Propensity: place.Propensity, Scenario: short(s.Scenario), Sources: place.Sources,
		Kind: kind, Act: e.Kind,
	}
	if e.Watch != nil {
		a.Reported, a.Watched = true, min(e.Watch.Watched, upnext.MaxWatched)
		if e.Watch.Duration > 0 {
			length = e.Watch.Duration
		}
	}
	if kind != "live" { // a live stream has no length, whatever the player says
		a.Length = length
	}
	w.result.Attributions = append(w.result.Attributions, a)
}

func find(s *upnext.Showing, id upnext.ItemID) *upnext.ShownItem {
	for i := range s.Items {
		if s.Items[i].Item == id {
			return &s.Items[i]
		}
	}
	return nil
}

// short keeps of a caller's scenario what a key of counts can hold.
func short(scenario string) string {
	if len(scenario) > upnext.MaxID {
		scenario = scenario[:upnext.MaxID]
	}
	return strings.ToValidUTF8(scenario, "")
}
