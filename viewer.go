package upnext

import (
	"context"
	"strings"
	"time"
)

// Viewer is what a platform tells of somebody who watches. What the system
// believes of them is a Profile, and is made from their events alone.
type Viewer struct {
	ID         ViewerID
	Locale     string // BCP 47
	Region     string // ISO 3166
	BirthYear  int    // 0 where not known: then only items up to the MinAge of serve.Settings.UnknownAge are shown
	Attributes map[string]any
	UpdatedAt  time.Time
}

// Validate reports the first thing wrong with it, as a FieldError. It knows nothing of the Schema: see Schema.Check.
func (v Viewer) Validate() error {
	if err := v.ID.Validate(); err != nil {
		return err
	}
	field, found := withNUL("locale", v.Locale, "region", v.Region)
	if !found && valueWithNUL(v.Attributes) {
		field, found = "attributes", true
	}
	if found {
		return invalid("viewer "+v.ID.String(), field, "a NUL character")
	}
	return nil
}

// Viewers keeps the properties of those that a platform has described. A
// viewer need not be here to send events or get recommendations. Safe for
// concurrent use.
type Viewers interface {
	// PutViewer inserts or replaces.
	PutViewer(ctx context.Context, t Tenant, v Viewer) (PutStatus, error)

	// Viewer returns it, or ErrNotFound.
	Viewer(ctx context.Context, t Tenant, id ViewerID) (Viewer, error)

	// DeleteViewer removes the properties. An absent viewer is not an error.
	DeleteViewer(ctx context.Context, t Tenant, id ViewerID) error

	// ListViewers returns up to limit viewers greater than after, by ID.String().
	ListViewers(ctx context.Context, t Tenant, after string, limit int) ([]Viewer, error)
}

// Interest is one of the several things that a viewer is drawn to.
type Interest struct {
	Item   ItemID   // the medoid: the item that stands for it
	Title  string   // of that item
	Topics []string // of that item
	Weight float64  // share of the viewer's attention, 0 to 1
	Items  []ItemID // the latest items that speak for it
	Last   time.Time
}

// Belief is a weighted value in a Profile, positive or negative.
type Belief struct {
	Value  string
	Name   string // for people to read; may be empty
	Weight float64
}

// Profile is what the system believes of a viewer, and from what.
type Profile struct {
	Viewer    Viewer
	Known     bool // whether any event or property was ever seen
	Interests []Interest
	Topics    []Belief
	Creators  []Belief
	Languages []Belief
	Emotion   []Belief
	Style     []Belief
	Follows   []string // creator ids
	Muted     []Aversion
	Pinned    []Pinned
	Recent    []Event // newest first
	Seen      int     // items seen
	Events    int     // events held
}

// Subject is what a mute or a pin is about: an item, a creator, or a topic in
// lower case.
type Subject struct {
	Scope Scope
	Value string
}

// SubjectOf makes the subject of a value.
func SubjectOf(scope Scope, value string) Subject {
	if scope == ScopeTopic {
		value = strings.ToLower(value)
	}
	return Subject{scope, value}
}

// Pinned is something that is wanted and does not fade.
type Pinned struct {
	Scope Scope
	Value string
	At    time.Time
}

// Aversion is something that a viewer does not want to see.
type Aversion struct {
	Scope Scope
	Value string
	Kind  EventKind // NotInterested, Block or Mute
	At    time.Time
}
