package upnext

import (
	"path"
	"slices"
	"strings"
	"time"
)

// ItemID names an item within its tenant; it is the caller's own string.
type ItemID string

// Kind is what an item is.
type Kind string

// Kinds are all there are, in the order of the documentation.
var Kinds = []Kind{"video", "short", "music", "live", "game", "ad", "article", "product", "person"}

// Status says whether an item may be shown at all.
type Status string

// The statuses. Only an active item is ever recommended.
const (
	Active  Status = "active"
	Hidden  Status = "hidden"
	Blocked Status = "blocked"
)

// The states of a live stream's room. A live item whose room is off has ended
// and is never shown; only one whose room is on is live now.
const (
	RoomOn  = "on"
	RoomOff = "off"
)

// Item is one thing that can be recommended, as its owner describes it.
// The zero of an optional field means that it is not known.
type Item struct {
	ID          ItemID
	Kind        Kind
	Title       string
	Description string
	Tags        []string
	Language    string // BCP 47, as given; detected where empty
	CreatorID   string
	CreatorName string
	SeriesID    string
	Episode     int
	Duration    time.Duration // zero for a live stream

	PublishedAt    time.Time
	AvailableFrom  time.Time
	AvailableUntil time.Time
	Regions        []string // ISO 3166 codes where it may be shown; empty is everywhere
	MinAge         int      // years
	Status         Status   // empty means Active
	RoomState      string   // of a live stream: RoomOn, RoomOff, or empty where nobody says

	Thumbnail  string   // object key, or URL in an allowed host
	Transcript string   // the text, or the key of an object ending in .vtt, .srt or .txt
	Lyrics     string   //
	Comments   []string // the texts
	CommentKey string   // or the key of an object of comments, one JSON a line

	Attributes map[string]any // typed by the tenant's Schema: string, float64, bool, time.Time or []string
}

// Limits on one item's text, in bytes. What is longer is refused, not cut.
const (
	MaxTitle       = 2_000
	MaxDescription = 50_000
	MaxTranscript  = 5_000_000
	MaxTags        = 200
	MaxComments    = 1_000
)

// Validate reports the first thing wrong with it, as a FieldError. It knows nothing of the Schema: see Schema.Check.
func (it Item) Validate() error {
	if err := checkID("item", "id", string(it.ID)); err != nil {
		return err
	}
	bad := func(field, format string, args ...any) error {
		return invalid("item "+string(it.ID), field, format, args...)
	}
	switch {
	case !slices.Contains(Kinds, it.Kind):
		return bad("kind", "%.80q is none of %v", it.Kind, Kinds)
	case strings.TrimSpace(it.Title) == "":
		return bad("title", "missing")
	case len(it.Title) > MaxTitle:
		return bad("title", "%d bytes, %d allowed", len(it.Title), MaxTitle)
	case len(it.Description) > MaxDescription:
		return bad("description", "%d bytes, %d allowed", len(it.Description), MaxDescription)
	case len(it.Transcript) > MaxTranscript:
		return bad("transcript", "%d bytes, %d allowed", len(it.Transcript), MaxTranscript)
	case len(it.Lyrics) > MaxTranscript:
		return bad("lyrics", "%d bytes, %d allowed", len(it.Lyrics), MaxTranscript)
	case len(it.Tags) > MaxTags:
		return bad("tags", "%d, %d allowed", len(it.Tags), MaxTags)
	case len(it.Comments) > MaxComments:
		return bad("comments", "%d, %d allowed", len(it.Comments), MaxComments)
	case it.Duration < 0:
		return bad("duration_ms", "negative")
	case it.Episode < 0:
		return bad("episode", "negative")
	case it.MinAge < 0 || it.MinAge > 120:
		return bad("min_age", "%d is not an age", it.MinAge)
	case !it.AvailableFrom.IsZero() && !it.AvailableUntil.IsZero() && it.AvailableUntil.Before(it.AvailableFrom):
		return bad("available_until", "before available_from")
	case !slices.Contains([]Status{"", Active, Hidden, Blocked}, it.Status):
		return bad("status", "%.80q is none of active, hidden, blocked", it.Status)
	case !slices.Contains([]string{"", RoomOn, RoomOff}, it.RoomState):
		return bad("room_state", "%.80q is none of on, off", it.RoomState)
	}
	if field, found := it.nul(); found {
		return bad(field, "a NUL character")
	}
	return nil
}

// nul names the first field that holds a NUL character.
func (it Item) nul() (field string, found bool) {
	field, found = withNUL("title", it.Title, "description", it.Description, "tags", strings.Join(it.Tags, ""),
		"language", it.Language, "creator_id", it.CreatorID, "creator_name", it.CreatorName, "series_id", it.SeriesID,
		"regions", strings.Join(it.Regions, ""), "thumbnail", it.Thumbnail, "transcript", it.Transcript,
		"lyrics", it.Lyrics, "comments", strings.Join(it.Comments, "")+it.CommentKey)
	if !found && valueWithNUL(it.Attributes) {
		return "attributes", true
	}
	return field, found
}

// IsTranscriptKey reports whether a Transcript is the key of an object rather
// than the text itself: one word that ends in .vtt, .srt or .txt.
func IsTranscriptKey(s string) bool {
	return s != "" && len(s) <= 1024 && !strings.ContainsAny(s, " \n\t") &&
		slices.Contains([]string{".vtt", ".srt", ".txt"}, strings.ToLower(path.Ext(s)))
}
