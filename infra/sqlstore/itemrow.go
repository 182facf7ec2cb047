package sqlstore

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"upnext"
)

// itemRow is the body of an items row.
type itemRow struct {
	Kind           string              `json:"kind,omitempty"`
	Title          string              `json:"title,omitempty"`
	Description    string              `json:"description,omitempty"`
	Tags           []string            `json:"tags,omitempty"`
	Language       string              `json:"language,omitempty"`
	CreatorID      string              `json:"creator_id,omitempty"`
	CreatorName    string              `json:"creator_name,omitempty"`
	SeriesID       string              `json:"series_id,omitempty"`
	Episode        int                 `json:"episode,omitempty"`
	Duration       time.Duration       `json:"duration_ns,omitempty"`
	PublishedAt    stamp               `json:"published_at,omitzero"`
	AvailableFrom  stamp               `json:"available_from,omitzero"`
	AvailableUntil stamp               `json:"available_until,omitzero"`
	Regions        []string            `json:"regions,omitempty"`
	MinAge         int                 `json:"min_age,omitempty"`
	Status         string              `json:"status,omitempty"`
	RoomState      string              `json:"room_state,omitempty"`
	Thumbnail      string              `json:"thumbnail,omitempty"`
	Transcript     string              `json:"transcript,omitempty"`
	Lyrics         string              `json:"lyrics,omitempty"`
	Comments       []string            `json:"comments,omitempty"`
	CommentKey     string              `json:"comment_key,omitempty"`
	Attributes     map[string]valueRow `json:"attributes,omitempty"`
}

func encodeItem(it upnext.Item) (string, error) {
	what := fmt.Sprintf("item %s", it.ID)
	attributes, err := valueRows(it.Attributes)
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return encode(what, itemRow{
		Kind: string(it.Kind), Title: it.Title, Description: it.Description, Tags: it.Tags, Language: it.Language,
		CreatorID: it.CreatorID, CreatorName: it.CreatorName, SeriesID: it.SeriesID, Episode: it.Episode,
		Duration: it.Duration, PublishedAt: stamp{it.PublishedAt}, AvailableFrom: stamp{it.AvailableFrom},
		AvailableUntil: stamp{it.AvailableUntil}, Regions: it.Regions, MinAge: it.MinAge, Status: string(it.Status), RoomState: it.RoomState,
		Thumbnail: it.Thumbnail, Transcript: it.Transcript, Lyrics: it.Lyrics, Comments: it.Comments,
		CommentKey: it.CommentKey, Attributes: attributes,
	})
}

func decodeItem(id, body string) (upnext.Item, error) {
	r, err := decode[itemRow]("item "+id, body)
	if err != nil {
		return upnext.Item{}, err
	}
	return upnext.Item{
		ID: upnext.ItemID(id), Kind: upnext.Kind(r.Kind), Title: r.Title, Description: r.Description, Tags: r.Tags,
		Language: r.Language, CreatorID: r.CreatorID, CreatorName: r.CreatorName, SeriesID: r.SeriesID,
		Episode: r.Episode, Duration: r.Duration, PublishedAt: r.PublishedAt.Time, AvailableFrom: r.AvailableFrom.Time,
		AvailableUntil: r.AvailableUntil.Time, Regions: r.Regions, MinAge: r.MinAge, Status: upnext.Status(r.Status), RoomState: r.RoomState,
		Thumbnail: r.Thumbnail, Transcript: r.Transcript, Lyrics: r.Lyrics, Comments: r.Comments,
		CommentKey: r.CommentKey, Attributes: values(r.Attributes),
	}, nil
}

// digest tells records apart that differ in anything that Put keeps, so that
// an unchanged one is known without reading its body.
func digest(source, hash, body string) string {
	h := sha256.New()
	for _, s := range []string{source, hash, body} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// recordColumns are what scanRecord reads.
const recordColumns = `id, version, deleted, source, hash, updated_at, believed, said, body`

func scanRecord(rows *sql.Rows) (upnext.Record, error) {
	var r upnext.Record
	var id, believed, said, body string
	var updated int64
	err := rows.Scan(&id, &r.Version, &r.Deleted, &r.Source, &r.Hash, &updated, &believed, &said, &body)
	if err != nil {
		return r, err
	}
	r.UpdatedAt = fromMicros(updated)
	r.Item.ID = upnext.ItemID(id)
	if r.Deleted {
		return r, nil
	}
	if r.Item, err = decodeItem(id, body); err != nil {
		return r, err
	}
	r.Understanding, err = decodeOver(id, said, believed)
	return r, err
}
