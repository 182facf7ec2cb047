package upnext

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// EventID is the caller's id of an event; a viewer's event counts once by it.
type EventID string

// ViewerID names who watches: a known user, or somebody anonymous.
type ViewerID struct {
	ID        string
	Anonymous bool
}

// String returns "u:ID" or "a:ID", the form that keys and rows use.
func (v ViewerID) String() string {
	if v.Anonymous {
		return "a:" + v.ID
	}
	return "u:" + v.ID
}

// ParseViewerID is the inverse of String.
func ParseViewerID(s string) (ViewerID, error) {
	kind, id, ok := strings.Cut(s, ":")
	if !ok || (kind != "u" && kind != "a") {
		return ViewerID{}, fmt.Errorf("viewer id %q: neither u:… nor a:…: %w", s, ErrInvalid)
	}
	return ViewerID{ID: id, Anonymous: kind == "a"}, nil
}

// Validate reports an empty, too long or unprintable id as an ErrInvalid.
func (v ViewerID) Validate() error {
	if v.Anonymous {
		return checkID("", "anonymous_id", v.ID)
	}
	return checkID("", "user_id", v.ID)
}

// EventKind is what happened.
type EventKind string

// The event kinds.
const (
	Impression    EventKind = "impression"
	View          EventKind = "view"
	Play          EventKind = "play"
	Progress      EventKind = "progress"
	Complete      EventKind = "complete"
	Skip          EventKind = "skip"
	Like          EventKind = "like"
	Unlike        EventKind = "unlike"
	Dislike       EventKind = "dislike"
	Save          EventKind = "save"
	Share         EventKind = "share"
	Comment       EventKind = "comment"
	Rate          EventKind = "rate"
	Gift          EventKind = "gift"
	Purchase      EventKind = "purchase"
	Subscribe     EventKind = "subscribe"
	Report        EventKind = "report"
	Conversion    EventKind = "conversion"
	NotInterested EventKind = "not_interested"
	Block         EventKind = "block"
	Mute          EventKind = "mute"
	Unmute        EventKind = "unmute" // takes back what was not wanted, muted or blocked before
	Pin           EventKind = "pin"    // wanted, and does not fade; it is not muted either
	Unpin         EventKind = "unpin"
	Follow        EventKind = "follow"
	Unfollow      EventKind = "unfollow"
	Search        EventKind = "search"
)

// EventKinds are all there are, in the order of the documentation.
var EventKinds = []EventKind{
	Impression, View, Play, Progress, Complete, Skip, Like, Unlike, Dislike, Save, Share, Comment, Rate, Gift,
	Purchase, Subscribe, Report, Conversion, NotInterested, Block, Mute, Unmute, Pin, Unpin, Follow, Unfollow, Search,
}

// Scope is what a not-interested, block, mute or pin is about.
type Scope string

// The scopes.
const (
	ScopeItem    Scope = "item"
	ScopeCreator Scope = "creator"
	ScopeTopic   Scope = "topic"
)

// Watch is how much of an item was watched. Watched is what counts; Position
// is where the player stood, which a seek moves.
type Watch struct {
	Watched  time.Duration
	Position time.Duration
	Duration time.Duration // of the item, as the player knows it; zero for a live stream
}

// Ratio is the watched share, 0 to 1, from Watched alone; itemDuration fills
// in for a player that does not know. It is 0 where there is no duration.
func (w Watch) Ratio(itemDuration time.Duration) float64 {
	d := w.Duration
	if d <= 0 {
		d = itemDuration
	}
	if d <= 0 {
		return 0
	}
	return math.Min(1, float64(w.Watched)/float64(d))
}

// Event is one thing that a viewer did.
type Event struct {
	ID       EventID
	Kind     EventKind
	At       time.Time // when it happened, by the client's clock
	Viewer   ViewerID
	Session  string
	Item     ItemID
	Creator  string
	Target   string // the user followed
	Topic    string
	Query    string
	Text     string
	Value    float64 // rate: 0 to 1; conversion: any
	Amount   float64
	Currency string
	Scope    Scope
	Token    string // of the recommendation that it answers
	Surface  string
	Position int
	Watch    *Watch
	Context  map[string]any

	Seq        int64     // order of acceptance, set by the store
	ReceivedAt time.Time // set by the store's caller
}

// MaxAhead is how far an event's At may lie in the future, for clocks that are wrong.
const MaxAhead = 10 * time.Minute

// Validate reports the first thing wrong with it, as a FieldError. now bounds At from above.
func (e Event) Validate(now time.Time) error {
	if err := checkID("event", "id", string(e.ID)); err != nil {
		return err
	}
	bad := func(field, format string, args ...any) error {
		return invalid("event "+string(e.ID), field, format, args...)
	}
	if err := e.Viewer.Validate(); err != nil {
		return err
	}
	switch {
	case !slices.Contains(EventKinds, e.Kind):
		return bad("kind", "%.80q is none of %v", e.Kind, EventKinds)
	case e.At.IsZero():
		return bad("at", "missing")
	case e.At.After(now.Add(MaxAhead)):
		return bad("at", "%s lies in the future", e.At.Format(time.RFC3339))
	case math.IsNaN(e.Value) || math.IsInf(e.Value, 0):
		return bad("value", "not a finite number")
	case math.IsNaN(e.Amount) || math.IsInf(e.Amount, 0):
		return bad("amount", "not a finite number")
	case len(e.Text) > MaxDescription:
		return bad("text", "%d bytes, %d allowed", len(e.Text), MaxDescription)
	case len(e.Query) > MaxTitle:
		return bad("query", "%d bytes, %d allowed", len(e.Query), MaxTitle)
	case e.Watch != nil && (e.Watch.Watched < 0 || e.Watch.Position < 0 || e.Watch.Duration < 0):
		return bad("watch", "negative")
	case valueWithNUL(e.Context):
		return bad("context", "a NUL character")
	}
	if field, found := withNUL("session_id", e.Session, "item_id", string(e.Item), "creator_id", e.Creator, "target_user_id", e.Target,
		"topic", e.Topic, "query", e.Query, "text", e.Text, "currency", e.Currency, "token", e.Token, "surface", e.Surface); found {
		return bad(field, "a NUL character")
	}
	return e.validateTarget(bad)
}

// validateTarget checks that the event names what its kind needs.
func (e Event) validateTarget(bad func(field, format string, args ...any) error) error {
	needs := func(field, v string) error {
		if v == "" {
			return bad(field, "%s needs it", e.Kind)
		}
		if len(v) > MaxID {
			return bad(field, "%d bytes, %d allowed", len(v), MaxID)
		}
		return nil
	}
	switch e.Kind {
	case Search:
		return needs("query", strings.TrimSpace(e.Query))
	case Follow, Unfollow:
		return needs("creator_id", e.Creator+e.Target)
	case NotInterested, Block, Mute, Unmute, Pin, Unpin:
		switch e.Scope {
		case ScopeItem:
			return needs("item_id", string(e.Item))
		case ScopeCreator:
			return needs("creator_id", e.Creator)
		case ScopeTopic:
			return needs("topic", e.Topic)
		}
		return bad("scope", "%.80q is none of item, creator, topic", e.Scope)
	case Progress, Complete:
		if e.Watch == nil {
			return bad("watch", "%s needs it", e.Kind)
		}
	case Comment:
		if err := needs("text", e.Text[:min(len(e.Text), 1)]); err != nil {
			return err
		}
	case Rate:
		if e.Value < 0 || e.Value > 1 {
			return bad("value", "%g is not within 0 and 1", e.Value)
		}
	case Gift:
		if e.Amount <= 0 {
			return bad("amount", "%s needs one above 0", e.Kind)
		}
	}
	return needs("item_id", string(e.Item))
}

// Appended says what became of an event.
type Appended struct {
	Seq       int64    // 0 for a duplicate
	Duplicate bool     // the viewer has an event of that id already; nothing was written
	Into      ViewerID // whose it is, where its viewer was merged into another; else zero
}

// Events keeps what happened. It is safe for concurrent use; concurrent
// Appends are gathered into one transaction.
type Events interface {
	// Append keeps events, all or none, once by viewer and id, and reports one
	// outcome for each. When it returns they survive a crash. An event of who was
	// merged into another viewer is theirs: see Merges.
	Append(ctx context.Context, t Tenant, events ...Event) ([]Appended, error)

	// Retract removes an event and returns it. A zero viewer means whoever
	// sent it; ErrConflict where several viewers have that id. Nothing is kept of it, not
	// even its id, as erasure demands: sent again, it counts again.
	Retract(ctx context.Context, t Tenant, viewer ViewerID, id EventID) (Event, error)

	// ByViewer returns a viewer's latest events by At, newest first.
	ByViewer(ctx context.Context, t Tenant, viewer ViewerID, limit int) ([]Event, error)

	// Since returns up to limit events with a Seq greater than after, by Seq;
	// no event with a smaller Seq appears later.
	Since(ctx context.Context, t Tenant, after int64, limit int) ([]Event, error)

	// Erase removes all of a viewer's events and returns how many there were.
	Erase(ctx context.Context, t Tenant, viewer ViewerID) (int, error)
}

// Withdrawals tell whoever keeps what was counted of events whether it still holds.
type Withdrawals interface {
	// Withdrawn is how often events were taken from a viewer: one for each
	// Events.Retract, Events.Erase and Merges.Merge that succeeded.
	Withdrawn(ctx context.Context, t Tenant) (int64, error)
}
