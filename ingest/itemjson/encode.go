package itemjson

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"upnext"
)

// item is the JSON of an item; Decode reads the same names.
type item struct {
	ID             string         `json:"id"`
	Kind           string         `json:"kind"`
	Title          string         `json:"title"`
	Description    string         `json:"description,omitempty"`
	Tags           []string       `json:"tags,omitempty"`
	Language       string         `json:"language,omitempty"`
	CreatorID      string         `json:"creator_id,omitempty"`
	CreatorName    string         `json:"creator_name,omitempty"`
	SeriesID       string         `json:"series_id,omitempty"`
	Episode        int            `json:"episode,omitempty"`
	DurationMS     int64          `json:"duration_ms,omitempty"`
	PublishedAt    *time.Time     `json:"published_at,omitempty"`
	AvailableFrom  *time.Time     `json:"available_from,omitempty"`
	AvailableUntil *time.Time     `json:"available_until,omitempty"`
	Regions        []string       `json:"regions,omitempty"`
	MinAge         int            `json:"min_age,omitempty"`
	Status         string         `json:"status,omitempty"`
	Thumbnail      string         `json:"thumbnail,omitempty"`
	Transcript     string         `json:"transcript,omitempty"`
	Lyrics         string         `json:"lyrics,omitempty"`
	Comments       any            `json:"comments,omitempty"`
	Attributes     map[string]any `json:"attributes,omitempty"`
}

// Encode writes an item as JSON on one line, without what is not known. Equal
// items give equal bytes, and Decode gives the item back where the schema has
// its attributes.
func Encode(it upnext.Item) ([]byte, error) {
	when := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	out := item{
		ID: string(it.ID), Kind: string(it.Kind), Title: it.Title, Description: it.Description, Tags: it.Tags,
		Language: it.Language, CreatorID: it.CreatorID, CreatorName: it.CreatorName, SeriesID: it.SeriesID,
		Episode: it.Episode, DurationMS: it.Duration.Milliseconds(), PublishedAt: when(it.PublishedAt),
		AvailableFrom: when(it.AvailableFrom), AvailableUntil: when(it.AvailableUntil), Regions: it.Regions,
		MinAge: it.MinAge, Status: string(it.Status), Thumbnail: it.Thumbnail, Transcript: it.Transcript,
		Lyrics: it.Lyrics, Attributes: it.Attributes,
	}
	switch {
	case len(it.Comments) > 0:
		out.Comments = it.Comments
	case it.CommentKey != "":
		out.Comments = it.CommentKey
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode item %s: %v: %w", it.ID, err, upnext.ErrInvalid)
	}
	return data, nil
}

// SplitList divides a text into its parts at "|", without spaces around them
// and without empty ones.
func SplitList(s string) []string {
	var parts []string
	for p := range strings.SplitSeq(s, "|") {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}
