package upnext

import (
	"context"
	"time"
)

// AttributedBy is how it is known which answer an event is about.
type AttributedBy string

// The ways: the event carried the token of what was shown, or it did not and
// the latest answer that showed the item to the viewer was taken.
const (
	ByToken AttributedBy = "token"
	BySlate AttributedBy = "slate"
)

// Attribution says which shown item an event answers. What it says of the
// item and of the answer is as it was when the event was attributed.
type Attribution struct {
	Seq        int64 // of the event
	Viewer     ViewerID
	By         AttributedBy
	Slate      SlateID
	Item       ItemID
	ShownAt    time.Time // when the slate was made
	Rank       int       // from 1
	Variant    string
	Propensity float64
	Scenario   string   // empty where the slate was not kept
	Sources    []string // the same
	Kind       Kind     // of the item; empty where it is not in the catalogue
	Act        EventKind
	Reported   bool          // the event said how much was watched
	Watched    time.Duration // then this much, at most MaxWatched
	Length     time.Duration // of the item; zero for a live stream and where not known
}

// MaxWatched bounds what one viewing may add to watch time: a client that
// reports more is wrong.
const MaxWatched = 24 * time.Hour

// Showing is of a slate what attribution needs.
type Showing struct {
	Slate    SlateID
	Viewer   ViewerID
	At       time.Time
	Scenario string
	Variant  string
	Items    []ShownItem
}

// ShownItem is an item of a Showing.
type ShownItem struct {
	Item       ItemID
	Rank       int
	Propensity float64
	Sources    []string
}

// ShowingOf keeps of a slate what attribution needs.
func ShowingOf(s Slate) Showing {
	shown := Showing{Slate: s.ID, Viewer: s.Viewer, At: s.At, Scenario: s.Scenario, Variant: s.Variant, Items: make([]ShownItem, len(s.Items))}
	for i, p := range s.Items {
		shown.Items[i] = ShownItem{p.Item, p.Rank, p.Propensity, p.Sources}
	}
	return shown
}

// SlateHead names a slate without what is in it.
type SlateHead struct {
	ID     SlateID
	Viewer ViewerID
	At     time.Time
}

// Showings finds what was shown. It is safe for concurrent use.
type Showings interface {
	// ShowingsOf returns those of the slates that are there, in any order.
	ShowingsOf(ctx context.Context, t Tenant, ids ...SlateID) ([]Showing, error)

	// LatestSlates names of each viewer the latest slates, most of them, that
	// were made at or after since; a viewer's newest first.
	LatestSlates(ctx context.Context, t Tenant, since time.Time, most int, viewers ...ViewerID) ([]SlateHead, error)
}
