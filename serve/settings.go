package serve

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"upnext/serve/crowd"
	"upnext/serve/explore"
	"upnext/serve/rule"
	"upnext/serve/taste"
)

// Settings are the dials of the request path. They act at once on a new
// Recommender; nothing that is stored depends on them.
type Settings struct {
	Taste   taste.Settings
	Crowd   crowd.Settings
	Explore explore.Settings

	Remember     int           // a viewer's latest events that are read: what is older is forgotten
	HeldViewers  int           // viewers held in memory
	HeldBytes    int64         // and the bytes that their events may take
	ReadingBytes int64         // and those of where viewers stand with models that read act by act
	RereadViewer time.Duration // after which a held viewer's properties are read again

	Quotas         map[string]int           // candidates by source; three for each place of the page where that is more; 0: it is not asked
	Few            map[string]int           // candidates of the sources that bring a few whatever the page's size; 0: it is not asked
	SourceDeadline time.Duration            // for each source; never more than half of the request's
	Deadlines      map[string]time.Duration // of a source, where it is shorter
	Deadline       time.Duration            // of a request that names none

	BreakAfter     int           // failures of an engine in a row after which it is left alone
	BreakFor       time.Duration // for so long, then one call tries whether it is back
	EngineCalls    int           // calls to one engine under way; one that hangs gets no more
	AppendDeadline time.Duration // for events to be kept

	FusionK     float64                       // of the reciprocal rank fusion
	SourceShare map[string]float64            // weight of a source in the fusion; 1 where not named
	Blend       map[string]map[string]float64 // "page", "similar", "search": weight of a feature

	Rules rule.Rules // how a page is arranged, and what is kept from it

	Telling    float64 // cosine from which likeness to an item is given as a reason; a matter of the encoder
	UnknownAge int     // items up to this MinAge are shown to a viewer whose age is not known

	CursorLife  time.Duration // after the last page read under it
	CursorItems int           // returned under one recommendation at most
	CursorBytes int           // of the requests that one cursor keeps

	ReplyBytes int64 // that a tenant's kept replies may take

	Unshown         int           // candidates kept with a slate that were not shown
	SlateQueue      int           // slates waiting to be written; more are dropped and counted
	SlateKeep       time.Duration // slates older than this are pruned
	TraceQueue      int           // of those waiting, how many may have their trace; further ones go without and are counted
	TraceKeep       time.Duration // traces older than this are pruned
	CheckpointEvery time.Duration // how often what was counted is saved

	FollowEvery time.Duration // how often the catalogue and the events are looked at, unless woken

	MeasureEvery time.Duration // how often events are attributed and counted
	MeasureKeep  time.Duration // counts of older hours are pruned
}

// DefaultSettings are those of an installation that says nothing.
func DefaultSettings() Settings {
	return Settings{
		Taste: taste.DefaultSettings(), Crowd: crowd.DefaultSettings(), Explore: explore.DefaultSettings(),
		Remember: 20_000, HeldViewers: 20_000, HeldBytes: 256 << 20, ReadingBytes: 64 << 20, RereadViewer: 2 * time.Second,
		Quotas: map[string]int{
			"taste": 200, "last": 60, "together": 150, "learned": 200, "followed": 40, "trending": 40, "popular": 60, "fresh": 40,
			"session": 60, "friends": 40, "searched": 40, "similar": 200, "words": 150, "meaning": 150,
		},
		Few: map[string]int{"continue": 4, "episode": 6, "live": 12, "explore": 100},
		Deadlines: map[string]time.Duration{ // these read memory alone
			"together": 100 * time.Millisecond, "followed": 100 * time.Millisecond, "friends": 100 * time.Millisecond, "continue": 100 * time.Millisecond,
			"episode": 100 * time.Millisecond, "live": 100 * time.Millisecond, "trending": 100 * time.Millisecond,
			"popular": 100 * time.Millisecond, "fresh": 100 * time.Millisecond, "explore": 100 * time.Millisecond,
		},
		SourceDeadline: 400 * time.Millisecond, Deadline: time.Second,
		BreakAfter: 3, BreakFor: time.Second, EngineCalls: 1024, AppendDeadline: 10 * time.Second,
		FusionK:     60,
		SourceShare: map[string]float64{"taste": 1.2, "together": 1.2, "learned": 1.2, "session": 1.2, "continue": 1.5, "episode": 1.5, "live": 0.6, "trending": 0.6, "popular": 0.6, "fresh": 0.4, "promoted": 0.05, "explore": 0.1},
		Blend: map[string]map[string]float64{
			"page": {
				"fusion": 0.8, "taste": 1, "together": 0.6, "learned": 4, "resume": 1, "friends": 0.3, "searched": 1.2, "live": 0.3, "topic": 0.5, "creator": 0.4, "followed": 0.2,
				"language": 0.35, "popularity": 0.2, "freshness": 0.1, "disliked": -0.6,
			},
			"similar": {
				"fusion": 0.8, "similar": 1.5, "together": 0.5, "topic": 0.1, "creator": 0.1, "language": 0.1,
				"popularity": 0.05, "disliked": -0.3,
			},
			"search": {
				"fusion": 0.6, "words": 1.2, "meaning": 1, "topic": 0.1, "creator": 0.1, "language": 0.1,
				"popularity": 0.1, "disliked": -0.2,
			},
		},
		Rules:   rule.DefaultRules(),
		Telling: 0.42, UnknownAge: 12,
		CursorLife: 30 * time.Minute, CursorItems: 10_000, CursorBytes: 1 << 20, ReplyBytes: 256 << 20,
		Unshown: 20, SlateQueue: 1024, SlateKeep: 7 * 24 * time.Hour, TraceQueue: 64, TraceKeep: 24 * time.Hour, FollowEvery: time.Second, CheckpointEvery: 10 * time.Minute,
		MeasureEvery: time.Second, MeasureKeep: 400 * 24 * time.Hour,
	}
}

// version names settings: equal settings, equal names.
func (s Settings) version() string {
	text, err := json.Marshal(s)
	if err != nil { // a NaN among the weights
		return "unprintable"
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}
