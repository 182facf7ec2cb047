package upnext

import (
	"fmt"
	"time"
)

// Boost multiplies the score of the items that pass a filter expression.
type Boost struct {
	If       string
	Multiply float64
}

// SeenScope says which seen items an answer leaves out.
type SeenScope string

// The scopes of seen. The zero value means SeenAll.
const (
	SeenNone    SeenScope = "none"
	SeenSession SeenScope = "session"
	SeenAll     SeenScope = "all"
)

// Exclude says what a request does not want.
type Exclude struct {
	Items      []ItemID
	Creators   []string
	Seen       SeenScope
	SeenWithin time.Duration // 0 means ever
}

// Request asks for recommendations, for items like others, or for a search:
// one of Like (similar), Query (search) and Candidates (rank) may be set; with none
// it is a page for the viewer. Zero options take the defaults in the comments.
type Request struct {
	Viewer   ViewerID // may be zero: somebody of whom nothing is known
	Session  string
	Scenario string // default "home", "similar", "search" or "rank"
	Count    int    // 1 to MaxCount, default 20, or as many as there are Candidates

	Like         []ItemID // more like these
	Unlike       []ItemID // and less like these
	LikeStrategy string   // "average" (default) or "best_score"
	Query        string   // text to search
	Candidates   []ItemID // rank these, each another one, and nothing else; at most MaxCandidates

	Sources []string // ask these alone of those that the answer's kind has; nil: all

	Locale    string
	Device    string
	Region    string
	Context   map[string]any
	Filter    string // expression; what fails it is never returned
	Boosts    []Boost
	Exclude   Exclude
	Include   []string      // fields of the items that the asker wants shown
	Diversity *float64      // 0 to 1, default 0.3
	Explore   *float64      // 0 to 0.5, default 0.05: share of a page's places for items that few have met
	Explain   string        // "none", "reasons" (default) or "trace"
	Deadline  time.Duration // default 1 s
	Backfill  string        // "" or "popular": what fills a page that the filter left short

	Unrecorded bool // the answer is not kept among the Slates: it will not be shown, or not now
}

// DefaultCount is how many items an answer, or a row of a page, has where nobody says.
const DefaultCount = 20

// MaxCount is the most items that one request may ask for, MaxCandidates the most
// that it may have ranked.
const (
	MaxCount      = 200
	MaxCandidates = 1000
)

// Validate reports the first thing wrong with it, as a FieldError. Filter expressions are checked where they are parsed.
func (r Request) Validate() error {
	field, found := withNUL("session_id", r.Session, "scenario", r.Scenario, "filter", r.Filter, "query", r.Query,
		"context/locale", r.Locale, "context/device", r.Device, "context/region", r.Region)
	if !found && valueWithNUL(r.Context) {
		field, found = "context/values", true
	}
	if found {
		return Invalid(field, "a NUL character")
	}
	if r.Viewer.ID != "" {
		if err := r.Viewer.Validate(); err != nil {
			return err
		}
	}
	switch {
	case r.Count < 0 || r.Count > max(MaxCount, len(r.Candidates)):
		return Invalid("count", "%d is not within 1 and %d", r.Count, max(MaxCount, len(r.Candidates)))
	case len(r.Candidates) > MaxCandidates:
		return Invalid("item_ids", "%d, %d allowed", len(r.Candidates), MaxCandidates)
	case r.Explore != nil && !(*r.Explore >= 0 && *r.Explore <= 0.5):
		return Invalid("explore", "%g is not within 0 and 0.5", *r.Explore)
	case r.Diversity != nil && !(*r.Diversity >= 0 && *r.Diversity <= 1):
		return Invalid("diversity", "%g is not within 0 and 1", *r.Diversity)
	case len(r.Like) > 100 || len(r.Unlike) > 100:
		return Invalid("item_ids", "more than 100")
	case len(r.Query) > MaxTitle:
		return Invalid("query", "%d bytes, %d allowed", len(r.Query), MaxTitle)
	case len(r.Exclude.Items) > 10_000:
		return Invalid("exclude/item_ids", "%d, 10000 allowed", len(r.Exclude.Items))
	case r.LikeStrategy != "" && r.LikeStrategy != "average" && r.LikeStrategy != "best_score":
		return Invalid("strategy", "%.80q is none of average, best_score", r.LikeStrategy)
	case r.Explain != "" && r.Explain != "none" && r.Explain != "reasons" && r.Explain != "trace":
		return Invalid("explain", "%.80q is none of none, reasons, trace", r.Explain)
	case r.Backfill != "" && r.Backfill != "popular":
		return Invalid("backfill", "%.80q is not popular", r.Backfill)
	case r.Deadline < 0:
		return Invalid("deadline_ms", "negative")
	}
	if len(r.Sources) > 50 {
		return Invalid("sources", "%d, 50 allowed", len(r.Sources))
	}
	switch r.Exclude.Seen {
	case "", SeenNone, SeenSession, SeenAll:
	default:
		return Invalid("exclude/seen", "%.80q is none of none, session, all", r.Exclude.Seen)
	}
	first := make(map[ItemID]int, len(r.Candidates))
	for i, id := range r.Candidates {
		if len(id) == 0 || len(id) > MaxID {
			return Invalid(fmt.Sprintf("item_ids/%d", i), "%d bytes, 1 to %d allowed", len(id), MaxID)
		}
		if before, twice := first[id]; twice {
			return Invalid(fmt.Sprintf("item_ids/%d", i), "%s is item_ids/%d already", id, before)
		}
		first[id] = i
	}
	for i, b := range r.Boosts {
		if !(b.Multiply > 0 && b.Multiply <= 100) {
			return Invalid(fmt.Sprintf("boosts/%d/multiply", i), "%g is not above 0 and at most 100", b.Multiply)
		}
	}
	return nil
}
