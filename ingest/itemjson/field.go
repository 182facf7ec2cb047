package itemjson

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"upnext"
)

// FieldError is the error of a field, with names as in the JSON.
type FieldError = upnext.FieldError

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Detail: fmt.Sprintf(format, args...)}
}

// shown is raw for an error message: enough to recognise it.
func shown(raw []byte) string {
	const most = 60
	if len(raw) <= most {
		return string(raw)
	}
	return fmt.Sprintf("%.60s… (%d bytes)", raw, len(raw))
}

func text(field string, raw json.RawMessage, to *string) error {
	if err := json.Unmarshal(raw, to); err != nil {
		return wrong(field, "%s is not a string", shown(raw))
	}
	return nil
}

// whole reads an integer that JSON may have written as 5, 5.0 or 5e0.
func whole(field string, raw json.RawMessage, to *int64) error {
	var f float64
	if err := json.Unmarshal(raw, &f); err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return wrong(field, "%s is not a whole number", shown(raw))
	}
	*to = int64(f)
	return nil
}

// maxMillis keeps a duration in milliseconds within a time.Duration.
const maxMillis = math.MaxInt64 / int64(time.Millisecond)

func millis(field string, raw json.RawMessage, to *time.Duration) error {
	var ms int64
	if err := whole(field, raw, &ms); err != nil {
		return err
	}
	if ms > maxMillis || ms < -maxMillis {
		return wrong(field, "%d ms is out of range", ms)
	}
	*to = time.Duration(ms) * time.Millisecond
	return nil
}

func instant(field string, raw json.RawMessage, to *time.Time) error {
	var s string
	if err := text(field, raw, &s); err != nil {
		return err
	}
	t, err := parseTime(s)
	if err != nil {
		return wrong(field, "%s is not a time like 2026-11-24T09:00:00Z", shown(raw))
	}
	*to = t
	return nil
}

// parseTime reads RFC 3339, or a date alone as its midnight in UTC.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse(time.DateOnly, s)
	}
	// A year beyond 9999 after the shift to UTC could not be written again.
	if t = t.UTC(); err == nil && (t.Year() < 1 || t.Year() > 9998) {
		return time.Time{}, fmt.Errorf("year %d is out of range", t.Year())
	}
	return t, err
}

func texts(field string, raw json.RawMessage, to *[]string) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return wrong(field, "%s is not a list of strings", shown(raw))
	}
	list := make([]string, len(parts))
	for i, p := range parts {
		if err := text(fmt.Sprintf("%s/%d", field, i), p, &list[i]); err != nil {
			return err
		}
	}
	*to = list
	return nil
}
