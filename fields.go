package upnext

import (
	"strings"
	"time"
)

// Fields are an item's values as filters, boosts and index columns see them,
// by field name: string, float64, bool, time.Time or []string. A field that
// is not there is null. Attributes appear as "attributes.NAME".
type Fields map[string]any

// ItemFields are the built-in fields of every item and their types.
var ItemFields = map[string]AttributeType{
	"id": String, "kind": String, "title": String, "tags": Strings, "language": String,
	"creator_id": String, "creator_name": String, "series_id": String, "episode": Number, "duration_ms": Number,
	"published_at": Time, "available_from": Time, "available_until": Time, "regions": Strings,
	"min_age": Number, "status": String,
	"topics": Strings, "emotion": Strings, "style": Strings, "safety": Strings,
}

// Fields returns what filters see of the record: the item's own fields and
// what is believed of it. The result shares slices with r.
func (r Record) Fields() Fields {
	f := make(Fields, len(ItemFields)/2+len(r.Item.Attributes))
	for name := range ItemFields {
		if v := r.Field(name); v != nil {
			f[name] = v
		}
	}
	for name, v := range r.Item.Attributes {
		f[attributePrefix+name] = v
	}
	return f
}

// attributePrefix precedes the names of attributes.
const attributePrefix = "attributes."

// Some returns of Fields those of some names: an expression reads few of them.
func (r *Record) Some(names []string) Fields {
	f := make(Fields, len(names))
	for _, name := range names {
		if v := r.Field(name); v != nil {
			f[name] = v
		}
	}
	return f
}

// Field returns one of Fields; nil where it is null.
func (r *Record) Field(name string) any {
	it := &r.Item
	switch name {
	case "id":
		return string(it.ID)
	case "kind":
		return string(it.Kind)
	case "title":
		return it.Title
	case "status":
		if it.Status == "" {
			return string(Active)
		}
		return string(it.Status)
	case "language":
		if it.Language == "" && len(r.Understanding.Language) > 0 {
			return textOrNull(r.Understanding.Language[0].Value)
		}
		return textOrNull(it.Language)
	case "creator_id":
		return textOrNull(it.CreatorID)
	case "creator_name":
		return textOrNull(it.CreatorName)
	case "series_id":
		return textOrNull(it.SeriesID)
	case "tags":
		return listOrNull(it.Tags)
	case "regions":
		return listOrNull(it.Regions)
	case "topics":
		return listOrNull(Values(r.Understanding.Topics))
	case "emotion":
		return listOrNull(Values(r.Understanding.Emotion))
	case "style":
		return listOrNull(Values(r.Understanding.Style))
	case "safety":
		return listOrNull(Values(r.Understanding.Safety))
	case "published_at":
		return timeOrNull(it.PublishedAt)
	case "available_from":
		return timeOrNull(it.AvailableFrom)
	case "available_until":
		return timeOrNull(it.AvailableUntil)
	case "min_age":
		return float64(it.MinAge)
	case "duration_ms":
		return numberOrNull(it.Duration.Milliseconds())
	case "episode":
		return numberOrNull(int64(it.Episode))
	}
	if attribute, ok := strings.CutPrefix(name, attributePrefix); ok {
		return it.Attributes[attribute]
	}
	return nil
}

func textOrNull(v string) any {
	if v == "" {
		return nil
	}
	return v
}

func listOrNull(v []string) any {
	if len(v) == 0 {
		return nil
	}
	return v
}

func timeOrNull(v time.Time) any {
	if v.IsZero() {
		return nil
	}
	return v
}

func numberOrNull(v int64) any {
	if v <= 0 {
		return nil
	}
	return float64(v)
}
