package itemjson

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"upnext"
)

// Item is the JSON of an item; Decode reads the same names.
type Item struct {
	ID             string         `json:"id" minLength:"1" maxLength:"256" doc:"Yours; any UTF-8 without control characters."`
	Kind           string         `json:"kind" enum:"video,short,music,live,game,ad,article,product,person"`
	Title          string         `json:"title" minLength:"1" maxLength:"2000"`
	Description    string         `json:"description,omitempty"`
	Tags           []string       `json:"tags,omitempty"`
	Language       string         `json:"language,omitempty" doc:"BCP 47; detected where missing."`
	CreatorID      string         `json:"creator_id,omitempty"`
	CreatorName    string         `json:"creator_name,omitempty"`
	SeriesID       string         `json:"series_id,omitempty"`
	Episode        int            `json:"episode,omitempty"`
	DurationMS     int64          `json:"duration_ms,omitempty" minimum:"0" doc:"Missing for a live stream."`
	PublishedAt    *time.Time     `json:"published_at,omitempty"`
	AvailableFrom  *time.Time     `json:"available_from,omitempty"`
	AvailableUntil *time.Time     `json:"available_until,omitempty"`
	Regions        []string       `json:"regions,omitempty" doc:"ISO 3166 codes where it may be shown; empty is everywhere."`
	MinAge         int            `json:"min_age,omitempty" minimum:"0" maximum:"120" doc:"Years."`
	Status         string         `json:"status,omitempty" enum:"active,hidden,blocked" doc:"Default active; only such an item is recommended."`
	RoomState      string         `json:"room_state,omitempty" enum:"on,off" doc:"Of a live stream: on while it runs; once off it is never shown."`
	Thumbnail      string         `json:"thumbnail,omitempty" doc:"Key of a picture in the object store."`
	Transcript     string         `json:"transcript,omitempty" doc:"The text, or the key of a .vtt, .srt or .txt object."`
	Lyrics         string         `json:"lyrics,omitempty"`
	Comments       any            `json:"comments,omitempty" doc:"A list of texts, or the key of an object with one comment a line."`
	Attributes     map[string]any `json:"attributes,omitempty" doc:"Your own fields, typed by the schema: strings, numbers, booleans, times, string lists."`
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
	out := Item{
		ID: string(it.ID), Kind: string(it.Kind), Title: it.Title, Description: it.Description, Tags: it.Tags,
		Language: it.Language, CreatorID: it.CreatorID, CreatorName: it.CreatorName, SeriesID: it.SeriesID,
		Episode: it.Episode, DurationMS: it.Duration.Milliseconds(), PublishedAt: when(it.PublishedAt),
		AvailableFrom: when(it.AvailableFrom), AvailableUntil: when(it.AvailableUntil), Regions: it.Regions,
		MinAge: it.MinAge, Status: string(it.Status), RoomState: it.RoomState, Thumbnail: it.Thumbnail, Transcript: it.Transcript,
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
