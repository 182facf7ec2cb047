// Package taste makes out of a viewer's events what is believed of them: what
// they like, have seen, follow and do not want.
package taste

import (
	"time"

	"upnext"
)

// Settings say how events become taste. Weights may be negative.
type Settings struct {
	Weights       map[upnext.EventKind]float64 // of an event of a kind; rate is scaled by its value, see Weigh
	ValidView     float64                      // of a view of at least min(10 s, 30 %)
	Finished      float64                      // of a view of at least 90 %
	QuickSkip     float64                      // of leaving within 3 s
	LongHalfLife  time.Duration                // half of an event's weight fades with this
	ShortHalfLife time.Duration                // and the other half with this
	VisitHalfLife time.Duration                // of what was done in the present session
	History       int                          // the latest events that taste is made of
	Interests     int                          // most interests of a viewer
	InterestItems int                          // the weightiest items that interests are made of
	Similarity    float64                      // mean cosine at which two interests become one
}

// DefaultSettings are what was found reasonable; evaluation moves them.
func DefaultSettings() Settings {
	return Settings{
		Weights: map[upnext.EventKind]float64{
			upnext.View: 0.1, upnext.Play: 0.3, upnext.Skip: -0.4, upnext.Like: 1.5, upnext.Dislike: -2,
			upnext.Save: 1.2, upnext.Share: 1.2, upnext.Comment: 0.5, upnext.Rate: 1.5, upnext.Gift: 2,
			upnext.Purchase: 2, upnext.Subscribe: 1.5, upnext.Report: -3, upnext.Conversion: 1.5, upnext.NotInterested: -2,
			upnext.Follow: 1,
		},
		ValidView: 0.5, Finished: 1, QuickSkip: -0.3,
		LongHalfLife: 30 * 24 * time.Hour, ShortHalfLife: 6 * time.Hour, VisitHalfLife: defaultVisit,
		History: 1000, Interests: 8, InterestItems: 64, Similarity: 0.4,
	}
}

// Act is an event as memory keeps it.
type Act struct {
	ID      upnext.EventID
	Kind    upnext.EventKind
	At      time.Time
	Session string
	Item    upnext.ItemID
	Creator string
	Target  string
	Topic   string
	Scope   upnext.Scope
	Value   float64
	Query   string // of a search
	Watched bool   // whether Watch was told
	Watch   upnext.Watch
}

// ActOf keeps of an event what taste is made of.
func ActOf(e upnext.Event) Act {
	a := Act{
		ID: e.ID, Kind: e.Kind, At: e.At, Session: e.Session, Item: e.Item, Creator: e.Creator, Target: e.Target,
		Topic: e.Topic, Scope: e.Scope, Value: e.Value,
	}
	if e.Kind == upnext.Search {
		a.Query = e.Query
	}
	if e.Watch != nil {
		a.Watched, a.Watch = true, *e.Watch
	}
	return a
}

// Bytes estimates the memory that it takes.
func (a Act) Bytes() int {
	return 248 + len(a.ID) + len(a.Query) + len(a.Session) + len(a.Item) + len(a.Creator) + len(a.Target) + len(a.Topic)
}

// The labels that are derived from how long an item was watched.
const (
	validView     = 10 * time.Second
	validShare    = 0.3
	finishedShare = 0.9
	quickSkip     = 3 * time.Second
)

// Weigh says what an event alone speaks for (or against) its item, before any
// fading. duration is the item's own, 0 where it has none.
//
// A kind's weight stands where nothing better is known: with a watch, only the
// watched time counts. A rating counts from -Weights[rate]/2 at 0 over 0 at
// the middle to +Weights[rate] at 1, because a low one still was a choice.
func (s Settings) Weigh(a Act, duration time.Duration) float64 {
	weight := s.Weights[a.Kind]
	switch a.Kind {
	case upnext.Rate:
		lean := 2*a.Value - 1
		if lean < 0 {
			lean /= 2
		}
		return weight * lean
	case upnext.NotInterested, upnext.Block, upnext.Mute:
		if a.Scope != upnext.ScopeItem {
			return 0 // it speaks of the creator or the topic; this item was only at hand
		}
		return weight
	case upnext.View, upnext.Play, upnext.Progress, upnext.Complete, upnext.Skip:
		if a.Watched {
			return s.weighWatch(a, duration)
		}
	}
	return weight
}

// weighWatch turns watched time into finished, valid view or quick skip.
func (s Settings) weighWatch(a Act, duration time.Duration) float64 {
	length := a.Watch.Duration
	if length <= 0 {
		length = duration
	}
	enough := validView
	if length > 0 {
		enough = min(enough, time.Duration(validShare*float64(length)))
	}
	switch watched := a.Watch.Watched; {
	case length > 0 && a.Watch.Ratio(duration) >= finishedShare:
		return s.Finished
	case watched >= enough && a.Kind == upnext.Skip:
		return 0 // went on after a fair look
	case watched >= enough:
		return s.ValidView
	case watched < quickSkip && a.Kind != upnext.Play && a.Kind != upnext.View:
		return s.QuickSkip // a player that has just begun reports little too
	case a.Kind == upnext.Skip:
		return s.Weights[upnext.Skip]
	}
	return max(0, min(s.Weights[a.Kind], s.Weights[upnext.Play]))
}
