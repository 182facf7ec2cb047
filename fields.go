package upnext

import "time"

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
	it := r.Item
	f := Fields{"id": string(it.ID), "kind": string(it.Kind), "title": it.Title, "min_age": float64(it.MinAge)}
	text := func(name, v string) {
		if v != "" {
			f[name] = v
		}
	}
	list := func(name string, v []string) {
		if len(v) > 0 {
			f[name] = v
		}
	}
	at := func(name string, v time.Time) {
		if !v.IsZero() {
			f[name] = v
		}
	}
	status := it.Status
	if status == "" {
		status = Active
	}
	f["status"] = string(status)
	language := it.Language
	if language == "" && len(r.Understanding.Language) > 0 {
		language = r.Understanding.Language[0].Value
	}
	text("language", language)
	text("creator_id", it.CreatorID)
	text("creator_name", it.CreatorName)
	text("series_id", it.SeriesID)
	list("tags", it.Tags)
	list("regions", it.Regions)
	list("topics", Values(r.Understanding.Topics))
	list("emotion", Values(r.Understanding.Emotion))
	list("style", Values(r.Understanding.Style))
	list("safety", Values(r.Understanding.Safety))
	at("published_at", it.PublishedAt)
	at("available_from", it.AvailableFrom)
	at("available_until", it.AvailableUntil)
	if it.Duration > 0 {
		f["duration_ms"] = float64(it.Duration.Milliseconds())
	}
	if it.Episode > 0 {
		f["episode"] = float64(it.Episode)
	}
	for name, v := range it.Attributes {
		f["attributes."+name] = v
	}
	return f
}
