package upnext

import (
	"context"
	"time"
)

// Label is one thing believed of an item.
type Label struct {
	Value      string
	Confidence float64 // 0 to 1; a person's is 1
	Evidence   string  // what speaks for it: the phrase, passage or field; may be empty
	Model      string  // who believes it: a model's id, or "person"
}

// ByPerson is the Model of a Label that a person has set.
const ByPerson = "person"

// Understanding is what is believed of an item's content, each facet with the
// most confident label first. An empty facet is not known.
type Understanding struct {
	Topics   []Label
	Emotion  []Label
	Style    []Label
	Language []Label
	Safety   []Label
	At       time.Time // when the model looked
}

// Values returns the labels' values, in their order.
func Values(labels []Label) []string {
	values := make([]string, len(labels))
	for i, l := range labels {
		values[i] = l.Value
	}
	return values
}

// Over returns u laid over below, facet by facet: where u has nothing to say,
// below speaks. A person's Understanding is laid over the model's.
func (u Understanding) Over(below Understanding) Understanding {
	pick := func(a, b []Label) []Label {
		if a != nil {
			return a
		}
		return b
	}
	return Understanding{
		Topics: pick(u.Topics, below.Topics), Emotion: pick(u.Emotion, below.Emotion),
		Style: pick(u.Style, below.Style), Language: pick(u.Language, below.Language),
		Safety: pick(u.Safety, below.Safety), At: below.At,
	}
}

// Understandings keeps, for each item, what the model believes and what a
// person has said. It is safe for concurrent use.
type Understandings interface {
	// Believe replaces what the model believes of items; what a person said
	// stays. Each change moves the item's Record.Version, so that readers of
	// Catalog.Changes see it.
	Believe(ctx context.Context, t Tenant, beliefs map[ItemID]Understanding) error

	// Correct replaces the facets that are not nil in said by a person's word;
	// a facet that is empty and not nil says "none of it". ErrNotFound where
	// the item is not in the catalogue.
	Correct(ctx context.Context, t Tenant, id ItemID, said Understanding) (Understanding, error)
}
