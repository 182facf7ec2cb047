package upnext

import (
	"context"
	"time"
)

// SlateID names one answer: "rec_" and a ULID.
type SlateID string

// Reason says in words why an item is there.
type Reason struct {
	Code   string // "because_watched", "trending", …
	Text   string // in the viewer's language
	Item   ItemID // that the words are about; may be empty
	Weight float64
}

// Placed is an item in a slate, at its rank.
type Placed struct {
	Item       ItemID
	Rank       int // from 1
	Score      float64
	Sources    []string
	Features   map[string]float64 // what the score is made of, by name
	Propensity float64            // how likely it was to be shown here, 0 to 1; 1 where nothing was left to chance
	Origins    []Origin           // what Sources said of it; where the answer was traced, as are the next two
	Ranks      map[string]int     // from 1, after each stage that had it: "blend", "rank", "rerank"
	Decisions  []Decision         // of rules about it, in order
	Reasons    []Reason
	Blur       string // the safety label on account of which it is shown behind a warning; empty: as it is
	Token      string // signed: recommendation, item, rank, variant, propensity
}

// Decision is what one rule did to a candidate.
type Decision struct {
	Rule   string // "guard", …
	Action string // "dropped", …
	Detail string // why, in a word: the guard's cause; may be empty
}

// Degraded says what an answer had to do without.
type Degraded struct {
	Stage  string
	Reason string
}

// Slate is what was shown in one answer, with what is needed to explain it,
// to attribute events to it and to learn from it.
type Slate struct {
	ID        SlateID
	Viewer    ViewerID
	Session   string
	Scenario  string
	Variant   string
	At        time.Time
	Items     []Placed
	Unshown   []Placed // a sample of candidates that were not shown; no tokens, no reasons
	Shortfall int      // how many fewer than asked for
	Degraded  []Degraded
	Variety   map[string]float64       // of Items: "diversity", "coverage", "novelty"; where the answer was traced
	Versions  map[string]string        // what answered: collection, models, settings
	Timings   map[string]time.Duration // by stage, and "total"
	Request   []byte                   // JSON: what was asked, as its asker writes and reads it; empty where it was too long to keep
	Trace     *Trace                   // nil where nobody asked for it, or its time is over
	Refused   []Refusal                // what of the asker's own candidates may not be shown; not kept
	Next      string                   // the cursor that reads on; empty where nothing is left. It is not kept
	Until     time.Time                // when Next expires, unless it is used before; not kept

	Seq int64 // order of acceptance, set by the store
}

// Refusal says why one of the asker's own candidates is not in an answer.
type Refusal struct {
	Item  ItemID
	Cause string // a cause of the guard, such as "gone", "expired", "filtered"
}

// Slates keeps answers. It is safe for concurrent use.
type Slates interface {
	// Record keeps slates; one that is there already is replaced and keeps its
	// Seq: it comes again only from a writer who could not tell whether it came
	// the first time.
	Record(ctx context.Context, t Tenant, slates ...Slate) error

	// Slate returns one with its trace, or ErrNotFound.
	Slate(ctx context.Context, t Tenant, id SlateID) (Slate, error)

	// SlatesSince returns up to limit slates, without their traces, with a Seq
	// greater than after, by Seq; no slate with a smaller Seq appears later.
	SlatesSince(ctx context.Context, t Tenant, after int64, limit int) ([]Slate, error)

	// EraseSlates removes all of a viewer's slates with their traces and returns
	// how many slates there were.
	EraseSlates(ctx context.Context, t Tenant, viewer ViewerID) (int, error)

	// Prune removes slates older than before and traces of slates older than
	// traces, in every tenant, and returns how many slates there were.
	Prune(ctx context.Context, before, traces time.Time) (int, error)
}
