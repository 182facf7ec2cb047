package itemjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"upnext"
)

// Decode reads one item. A field that the API does not have is an error that
// names it, so that a typing error is not lost. null and a missing field mean
// the same. Attributes get the types of the schema; one that the schema does
// not have gets the type that its JSON suggests (see Extend). The item is not
// validated: call Item.Validate and Schema.Check. Errors are *FieldError; the
// item has then at most its id.
func Decode(data []byte, schema upnext.Schema) (upnext.Item, error) {
	var fields map[string]json.RawMessage
	if err := strict(data, &fields); err != nil {
		return upnext.Item{}, err
	}
	var it upnext.Item
	// In the order of the names, so that of several errors it is always the same one.
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		raw := fields[name]
		if string(raw) == "null" {
			continue
		}
		if err := decodeField(&it, name, raw, schema); err != nil {
			var id string
			if text("id", fields["id"], &id) != nil {
				id = ""
			}
			return upnext.Item{ID: upnext.ItemID(id)}, err
		}
	}
	return it, nil
}

// strict decodes exactly one JSON object of valid UTF-8.
func strict(data []byte, to *map[string]json.RawMessage) error {
	if !utf8.Valid(data) {
		return wrong("", "not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	err := d.Decode(to)
	if err == nil && d.More() {
		err = errors.New("more than one JSON value")
	}
	if err == nil && *to == nil {
		err = errors.New("null is not an item")
	}
	if syntax := new(json.SyntaxError); errors.As(err, &syntax) {
		return wrong("", "byte %d: %v", syntax.Offset, err)
	}
	if wrongType := new(json.UnmarshalTypeError); errors.As(err, &wrongType) {
		return wrong("", "a JSON %s is not an item", wrongType.Value)
	}
	if err != nil {
		return wrong("", "%v", err)
	}
	return nil
}

func decodeField(it *upnext.Item, name string, raw json.RawMessage, schema upnext.Schema) error {
	number := func(to *int) error {
		var n int64
		err := whole(name, raw, &n)
		*to = int(n)
		return err
	}
	switch name {
	case "id":
		return text(name, raw, (*string)(&it.ID))
	case "kind":
		return text(name, raw, (*string)(&it.Kind))
	case "title":
		return text(name, raw, &it.Title)
	case "description":
		return text(name, raw, &it.Description)
	case "tags":
		return texts(name, raw, &it.Tags)
	case "language":
		return text(name, raw, &it.Language)
	case "creator_id":
		return text(name, raw, &it.CreatorID)
	case "creator_name":
		return text(name, raw, &it.CreatorName)
	case "series_id":
		return text(name, raw, &it.SeriesID)
	case "episode":
		return number(&it.Episode)
	case "duration_ms":
		return millis(name, raw, &it.Duration)
	case "published_at":
		return instant(name, raw, &it.PublishedAt)
	case "available_from":
		return instant(name, raw, &it.AvailableFrom)
	case "available_until":
		return instant(name, raw, &it.AvailableUntil)
	case "regions":
		return texts(name, raw, &it.Regions)
	case "min_age":
		return number(&it.MinAge)
	case "status":
		return text(name, raw, (*string)(&it.Status))
	case "room_state":
		return text(name, raw, &it.RoomState)
	case "thumbnail":
		return text(name, raw, &it.Thumbnail)
	case "transcript":
		return text(name, raw, &it.Transcript)
	case "lyrics":
		return text(name, raw, &it.Lyrics)
	case "comments":
		return comments(it, raw)
	case "attributes":
		values, err := Attributes(raw, schema)
		if values != nil {
			it.Attributes = values
		}
		return err
	}
	return wrong(name, "an item has no such field")
}

// comments are a list of texts or of {"author","text"}, or the key of an object.
func comments(it *upnext.Item, raw json.RawMessage) error {
	if raw[0] == '"' {
		return text("comments", raw, &it.CommentKey)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return wrong("comments", "%s is neither a list nor the key of an object", shown(raw))
	}
	for i, p := range parts {
		c, err := Comment(p)
		if err != nil {
			return wrong(fmt.Sprintf("comments/%d", i), "%v", err)
		}
		it.Comments = append(it.Comments, c)
	}
	return nil
}

// Comment reads one comment, a line of comments.ndjson: a string, or an object
// with a text and whatever else its platform keeps.
func Comment(data []byte) (string, error) {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		return s, nil
	}
	var c struct{ Text *string }
	if err := json.Unmarshal(data, &c); err != nil || c.Text == nil {
		return "", wrong("", "%s is neither a string nor an object with a text", shown(data))
	}
	return *c.Text, nil
}
