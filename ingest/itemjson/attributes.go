package itemjson

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"upnext"
)

// Attributes reads an object of attributes, with the types of the schema; one
// that it does not have gets the type that its JSON suggests. It is nil where
// all are null.
func Attributes(raw json.RawMessage, schema upnext.Schema) (map[string]any, error) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, wrong("attributes", "%s is not an object", shown(raw))
	}
	var values map[string]any
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if string(parts[name]) == "null" {
			continue
		}
		kind, known := typeOf(schema, name)
		if !known {
			kind = suggested(parts[name])
		}
		v, err := attribute("attributes/"+upnext.Key(name), parts[name], kind)
		if err != nil {
			return nil, err
		}
		if values == nil {
			values = map[string]any{}
		}
		values[name] = v
	}
	return values, nil
}

func typeOf(schema upnext.Schema, name string) (upnext.AttributeType, bool) {
	i := slices.IndexFunc(schema, func(a upnext.Attribute) bool { return a.Name == name })
	if i < 0 {
		return "", false
	}
	return schema[i].Type, true
}

// suggested is the type of a value that no schema speaks of. A string is a
// Time only if it is written out in full: a date alone may be a title.
func suggested(raw json.RawMessage) upnext.AttributeType {
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			if _, err := time.Parse(time.RFC3339, s); err == nil {
				return upnext.Time
			}
		}
		return upnext.String
	case 't', 'f':
		return upnext.Bool
	case '[':
		return upnext.Strings
	case '{':
		return "" // no attribute is an object
	}
	return upnext.Number
}

func attribute(field string, raw json.RawMessage, kind upnext.AttributeType) (any, error) {
	switch kind {
	case upnext.String:
		var v string
		err := text(field, raw, &v)
		return v, err
	case upnext.Number:
		var v float64
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, wrong(field, "%s is not a number", shown(raw))
		}
		return v, nil
	case upnext.Bool:
		var v bool
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, wrong(field, "%s is neither true nor false", shown(raw))
		}
		return v, nil
	case upnext.Time:
		var v time.Time
		err := instant(field, raw, &v)
		return v, err
	case upnext.Strings:
		var v []string
		err := texts(field, raw, &v)
		return v, err
	}
	return nil, wrong(field, "%s is no string, number, bool, time or list of strings", shown(raw))
}

// Extend returns the schema with the attributes that it does not have yet, of
// the types of their values and filterable, and whether there were any. An
// import extends its tenant's schema so; the API refuses such items instead.
func Extend(schema upnext.Schema, values map[string]any) (upnext.Schema, bool) {
	extended := slices.Clip(schema) // so that an append does not write into the caller's
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, known := typeOf(extended, name); known {
			continue
		}
		kind := upnext.String
		switch values[name].(type) {
		case float64:
			kind = upnext.Number
		case bool:
			kind = upnext.Bool
		case time.Time:
			kind = upnext.Time
		case []string:
			kind = upnext.Strings
		}
		extended = append(extended, upnext.Attribute{Name: name, Type: kind, Filterable: true})
	}
	return extended, len(extended) > len(schema)
}

// ParseAttribute reads an attribute from a plain text, as a CSV file has it: a
// list of strings is divided by "|".
func ParseAttribute(name, value string, kind upnext.AttributeType) (any, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("attributes/%s: %w", name, err)
	}
	switch kind {
	case upnext.Number, upnext.Bool:
		raw = json.RawMessage(value)
	case upnext.Strings:
		return SplitList(value), nil
	}
	return attribute("attributes/"+upnext.Key(name), raw, kind)
}
