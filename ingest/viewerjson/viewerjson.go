// Package viewerjson is the JSON of what a platform tells of a viewer: a line
// of an export, and of a file that is imported. Whom they follow is not part
// of it: that is in their events.
package viewerjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"upnext"
	"upnext/ingest/itemjson"
)

// Viewer is a viewer as JSON.
type Viewer struct {
	UserID      string          `json:"user_id,omitempty"`
	AnonymousID string          `json:"anonymous_id,omitempty"`
	Locale      string          `json:"locale,omitempty"`
	Region      string          `json:"region,omitempty"`
	BirthYear   int             `json:"birth_year,omitempty"`
	Attributes  json.RawMessage `json:"attributes,omitempty"`
	UpdatedAt   *time.Time      `json:"updated_at,omitempty"`
}

// Decode reads one viewer, strictly, and checks it. Attributes get the types
// of the schema; one that it does not have gets the type that its JSON
// suggests. Errors wrap upnext.ErrInvalid.
func Decode(raw []byte, schema upnext.Schema) (upnext.Viewer, error) {
	bad := func(format string, args ...any) (upnext.Viewer, error) {
		return upnext.Viewer{}, fmt.Errorf("viewer: %s: %w", fmt.Sprintf(format, args...), upnext.ErrInvalid)
	}
	var b Viewer
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return bad("%v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bad("more than one JSON value")
	}
	v := upnext.Viewer{ID: upnext.ViewerID{ID: b.UserID}, Locale: b.Locale, Region: b.Region, BirthYear: b.BirthYear}
	if b.AnonymousID != "" {
		v.ID = upnext.ViewerID{ID: b.AnonymousID, Anonymous: true}
	}
	if b.UpdatedAt != nil {
		v.UpdatedAt = b.UpdatedAt.UTC()
	}
	switch {
	case b.UserID != "" && b.AnonymousID != "":
		return bad("user_id and anonymous_id: one of the two")
	case len(b.Locale) > 35:
		return bad("locale: %d bytes, 35 allowed", len(b.Locale))
	case len(b.Region) > 8:
		return bad("region: %d bytes, 8 allowed", len(b.Region))
	case b.BirthYear != 0 && (b.BirthYear < 1900 || b.BirthYear > 2200):
		return bad("birth_year: %d is not within 1900 and 2200", b.BirthYear)
	}
	err := v.ID.Validate()
	if err == nil && len(b.Attributes) > 0 && string(b.Attributes) != "null" {
		v.Attributes, err = itemjson.Attributes(b.Attributes, schema)
	}
	if err != nil {
		return upnext.Viewer{}, fmt.Errorf("viewer %.80s: %w", v.ID.ID, err)
	}
	return v, nil
}

// Encode writes a viewer as JSON on one line. Equal viewers give equal bytes.
func Encode(v upnext.Viewer) ([]byte, error) {
	b := Viewer{Locale: v.Locale, Region: v.Region, BirthYear: v.BirthYear}
	if b.UserID = v.ID.ID; v.ID.Anonymous {
		b.UserID, b.AnonymousID = "", v.ID.ID
	}
	if !v.UpdatedAt.IsZero() {
		at := v.UpdatedAt.UTC()
		b.UpdatedAt = &at
	}
	var err error
	if len(v.Attributes) > 0 {
		b.Attributes, err = json.Marshal(v.Attributes)
	}
	var data []byte
	if err == nil {
		data, err = json.Marshal(b)
	}
	if err != nil {
		return nil, fmt.Errorf("encode viewer %s: %v: %w", v.ID, err, upnext.ErrInvalid)
	}
	return data, nil
}
