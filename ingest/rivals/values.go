package rivals

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"upnext"
)

// Time reads a time as exports write them: RFC 3339, without a zone, a date
// alone, or seconds since 1970. Nothing, and the year 1, are the zero time.
func Time(v any) (time.Time, error) {
	switch v := v.(type) {
	case nil:
		return time.Time{}, nil
	case float64:
		if math.IsNaN(v) || math.Abs(v) > 1e14 {
			break
		}
		if math.Abs(v) > 1e11 { // milliseconds
			v /= 1000
		}
		seconds, fraction := math.Modf(v)
		return time.Unix(int64(seconds), int64(math.Round(fraction*1e6))*1000).UTC(), nil
	case string:
		s := strings.TrimSpace(v)
		if s == "" {
			return time.Time{}, nil
		}
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05", time.DateOnly} {
			if t, err := time.Parse(layout, s); err == nil {
				if t = t.UTC(); t.Year() <= 1 {
					return time.Time{}, nil
				}
				return t, nil
			}
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return Time(f)
		}
	}
	return time.Time{}, fmt.Errorf("timestamp: %.60q is not a time: %w", fmt.Sprint(v), upnext.ErrInvalid)
}

// Texts are the strings of a list, or of one string; a number is written out.
func Texts(v any) []string {
	switch v := v.(type) {
	case string:
		if v = strings.TrimSpace(v); v != "" {
			return []string{v}
		}
	case []any:
		var all []string
		for _, x := range v {
			if s := Text(x); s != "" && !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// Text is a value as one string; empty where there is none.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

// Attributes makes attributes of a value of JSON: an object's members, those
// of objects in it as outer_inner. Lists of numbers are vectors of another
// system's model, and are left behind.
func Attributes(to map[string]any, name string, v any) {
	switch v := v.(type) {
	case string:
		if v != "" {
			to[name] = v
		}
	case float64, bool:
		to[name] = v
	case []any:
		if len(v) > 0 {
			if _, number := v[0].(float64); number {
				return
			}
		}
		if list := Texts(v); len(list) > 0 {
			to[name] = list
		}
	case map[string]any:
		for _, inner := range slices.Sorted(maps.Keys(v)) {
			at := inner
			if name != "" {
				at = name + "_" + inner
			}
			Attributes(to, at, v[inner])
		}
	}
}

// AddTags appends tags that are not there yet, up to as many as an item may have.
func AddTags(tags []string, more ...string) []string {
	for _, t := range more {
		if len(tags) < upnext.MaxTags && !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}

// ParseList reads a list written as JSON; nil where it is none.
func ParseList(s string) []any {
	var list []any
	if json.Unmarshal([]byte(s), &list) != nil {
		return nil
	}
	return list
}
