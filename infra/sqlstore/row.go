package sqlstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"upnext"
)

// Rows keep what SQL asks for in columns and the rest in one JSON text, written
// and read by the row types of this package: the nouns carry no tags. Empty
// lists and maps come back nil.

// encode returns v as JSON text; what names it in the error.
func encode(what string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w", what, err, upnext.ErrInvalid)
	}
	return string(b), nil
}

// decode is the inverse of encode. A failure is damage in the database.
func decode[T any](what, text string) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return v, fmt.Errorf("%s: damaged row: %w", what, err)
	}
	return v, nil
}

// micros is how columns keep a time: microseconds since 1970. The zero time
// goes there and back.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// stamp is a time within a body, as micros; a zero one is left out by omitzero.
type stamp struct{ time.Time }

func (s stamp) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, micros(s.Time), 10), nil }

func (s *stamp) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return fmt.Errorf("time %s: %w", b, err)
	}
	s.Time = fromMicros(n)
	return nil
}

// valueRow is an attribute's value with its type, because JSON alone knows
// neither times nor lists of strings.
type valueRow struct {
	S *string   `json:"s,omitempty"`
	N *float64  `json:"n,omitempty"`
	B *bool     `json:"b,omitempty"`
	T *stamp    `json:"t,omitempty"`
	L *[]string `json:"l,omitempty"`
}

// valueRows turns attributes into rows; a type that no attribute has is ErrInvalid.
func valueRows(values map[string]any) (map[string]valueRow, error) {
	if len(values) == 0 {
		return nil, nil
	}
	rows := make(map[string]valueRow, len(values))
	for name, v := range values {
		switch v := v.(type) {
		case string:
			rows[name] = valueRow{S: &v}
		case float64:
			rows[name] = valueRow{N: &v}
		case bool:
			rows[name] = valueRow{B: &v}
		case time.Time:
			rows[name] = valueRow{T: &stamp{v}}
		case []string:
			rows[name] = valueRow{L: &v}
		default:
			return nil, fmt.Errorf("attributes.%s: %T is no type of an attribute: %w", name, v, upnext.ErrInvalid)
		}
	}
	return rows, nil
}

func values(rows map[string]valueRow) map[string]any {
	if len(rows) == 0 {
		return nil
	}
	values := make(map[string]any, len(rows))
	for name, r := range rows {
		switch {
		case r.S != nil:
			values[name] = *r.S
		case r.N != nil:
			values[name] = *r.N
		case r.B != nil:
			values[name] = *r.B
		case r.T != nil:
			values[name] = r.T.Time
		case r.L != nil:
			values[name] = *r.L
		}
	}
	return values
}
