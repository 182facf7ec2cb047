package ingest

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"upnext"
	"upnext/ingest/itemjson"
)

// csvHeader is the first row of a CSV manifest: for each column the item's
// field, and the type of those that are "attributes.NAME" or
// "attributes.NAME:TYPE". Without a type an attribute that the schema does not
// know is a string: a number in the first row says nothing about the next.
type csvHeader struct {
	names []string
	types upnext.Schema
}

// How the fields of a row are written in JSON; the others are strings.
var (
	csvNumbers = []string{"episode", "duration_ms", "min_age"}
	csvLists   = []string{"tags", "regions"}
)

func (s *source) readHeader(ctx context.Context, key string) (csvHeader, error) {
	r, err := s.reader(ctx, key, 0)
	if err != nil {
		return csvHeader{}, err
	}
	defer func() { _ = r.Close() }() // it was only read
	in := newCSV(r)
	row, err := in.Read()
	if errors.Is(err, io.EOF) {
		return csvHeader{}, fmt.Errorf("no header: %w", upnext.ErrInvalid)
	}
	if err != nil {
		return csvHeader{}, fmt.Errorf("header: %v: %w", err, upnext.ErrInvalid)
	}
	row[0] = strings.TrimPrefix(row[0], "\ufeff")
	return parseHeader(row)
}

func parseHeader(row []string) (csvHeader, error) {
	var h csvHeader
	types := []upnext.AttributeType{upnext.String, upnext.Number, upnext.Bool, upnext.Time, upnext.Strings}
	for i, column := range row {
		name, kind, typed := strings.Cut(strings.TrimSpace(column), ":")
		attribute, isAttribute := strings.CutPrefix(name, "attributes.")
		switch {
		case slices.Contains(h.names, name):
			return h, fmt.Errorf("column %d: %q comes twice: %w", i+1, name, upnext.ErrInvalid)
		case isAttribute && attribute != "" && (!typed || slices.Contains(types, upnext.AttributeType(kind))):
			if typed {
				h.types = append(h.types, upnext.Attribute{Name: attribute, Type: upnext.AttributeType(kind)})
			}
		case isAttribute || typed:
			return h, fmt.Errorf("column %d: %q is not like attributes.NAME:TYPE with a type of %v: %w", i+1, column, types, upnext.ErrInvalid)
		default:
			if !slices.Contains(itemFields, name) {
				return h, fmt.Errorf("column %d: %q: an item has no such field: %w", i+1, name, upnext.ErrInvalid)
			}
		}
		h.names = append(h.names, name)
	}
	return h, nil
}

// itemFields are the columns that are not attributes.
var itemFields = []string{"id", "kind", "title", "description", "tags", "language", "creator_id", "creator_name",
	"series_id", "episode", "duration_ms", "published_at", "available_from", "available_until", "regions",
	"min_age", "status", "room_state", "thumbnail", "transcript", "lyrics", "comments"}

func quote(s string) []byte {
	data, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`)
	}
	return data
}

func newCSV(r io.Reader) *csv.Reader {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1 // a row that is too short is that row's error
	return in
}

// rows yields the rows of a CSV manifest below its header.
func (s *source) rows(ctx context.Context, key string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		r, err := s.reader(ctx, key, 0)
		if err != nil {
			yield(entry{}, err)
			return
		}
		defer func() { _ = r.Close() }() // it was only read
		in := newCSV(r)
		in.ReuseRecord = true
		for first := true; ; first = false {
			e := entry{Key: key, Offset: in.InputOffset()}
			row, err := in.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			e.Size = in.InputOffset() - e.Offset
			if broken := new(csv.ParseError); errors.As(err, &broken) {
				e.Line, e.Cause, e.Detail = broken.Line, "syntax", broken.Err.Error()
			} else if err != nil {
				yield(e, err)
				return
			} else {
				e.Line, _ = in.FieldPos(0)
			}
			if want := len(s.headers[key].names); e.Cause == "" && len(row) != want {
				e.Cause, e.Detail = "syntax", fmt.Sprintf("%d columns, %d in the header", len(row), want)
			}
			if !first && !yield(e, nil) {
				return
			}
		}
	}
}

// parseRow reads the item of one row. An empty cell means not known.
func (h csvHeader) parseRow(text []byte, schema upnext.Schema) (upnext.Item, error) {
	row, err := newCSV(bytes.NewReader(text)).Read()
	if err != nil || len(row) != len(h.names) {
		return upnext.Item{}, fmt.Errorf("the row changed: %v: %w", err, upnext.ErrConflict)
	}
	fields := map[string]json.RawMessage{}
	attributes := map[string]any{}
	for i, name := range h.names {
		v := strings.TrimSpace(row[i])
		attribute, isAttribute := strings.CutPrefix(name, "attributes.")
		switch {
		case v == "":
		case isAttribute:
			if attributes[attribute], err = itemjson.ParseAttribute(attribute, v, h.typeOf(attribute, schema)); err != nil {
				return upnext.Item{}, err
			}
		case slices.Contains(csvNumbers, name):
			if !json.Valid([]byte(v)) {
				return upnext.Item{}, &itemjson.FieldError{Field: name, Detail: fmt.Sprintf("%q is not a whole number", v)}
			}
			fields[name] = json.RawMessage(v)
		case slices.Contains(csvLists, name):
			list, err := json.Marshal(itemjson.SplitList(v))
			if err != nil {
				return upnext.Item{}, err
			}
			fields[name] = list
		default:
			fields[name] = quote(v)
		}
	}
	object, err := json.Marshal(fields)
	if err != nil {
		return upnext.Item{}, err
	}
	it, err := itemjson.Decode(object, schema)
	if len(attributes) > 0 {
		it.Attributes = attributes
	}
	return it, err
}

// typeOf is the type of an attribute: the schema's, the header's, or a string.
func (h csvHeader) typeOf(name string, schema upnext.Schema) upnext.AttributeType {
	for _, s := range []upnext.Schema{schema, h.types} {
		if i := slices.IndexFunc(s, func(a upnext.Attribute) bool { return a.Name == name }); i >= 0 {
			return s[i].Type
		}
	}
	return upnext.String
}
