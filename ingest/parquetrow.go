package ingest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"upnext"
	"upnext/ingest/eventjson"
)

// eventRow is an event as the columns of a row fill it.
type eventRow struct {
	eventjson.Event
	watch   eventjson.Watch
	watched bool
}

func (r *eventRow) event() (upnext.Event, error) {
	if r.watched {
		r.Watch = &r.watch
	}
	return r.Noun()
}

// setterOf returns how a column of that name and type fills a row.
func setterOf(name string, kind parquet.Type) (func(*eventRow, parquet.Value) error, error) {
	if isDecimal(kind) {
		return nil, fmt.Errorf("a DECIMAL: write it as DOUBLE: %w", upnext.ErrInvalid)
	}
	texts := map[string]func(*eventRow) *string{
		"id":             func(r *eventRow) *string { return &r.ID },
		"kind":           func(r *eventRow) *string { return &r.Kind },
		"user_id":        func(r *eventRow) *string { return &r.UserID },
		"anonymous_id":   func(r *eventRow) *string { return &r.AnonymousID },
		"session_id":     func(r *eventRow) *string { return &r.SessionID },
		"item_id":        func(r *eventRow) *string { return &r.ItemID },
		"creator_id":     func(r *eventRow) *string { return &r.CreatorID },
		"target_user_id": func(r *eventRow) *string { return &r.TargetUserID },
		"topic":          func(r *eventRow) *string { return &r.Topic },
		"query":          func(r *eventRow) *string { return &r.Query },
		"text":           func(r *eventRow) *string { return &r.Text },
		"currency":       func(r *eventRow) *string { return &r.Currency },
		"scope":          func(r *eventRow) *string { return &r.Scope },
		"token":          func(r *eventRow) *string { return &r.Token },
		"surface":        func(r *eventRow) *string { return &r.Surface },
	}
	if field, ok := texts[name]; ok {
		return func(r *eventRow, v parquet.Value) (err error) {
			*field(r), err = textOf(v)
			return err
		}, nil
	}
	number := func(set func(*eventRow, float64) error) (func(*eventRow, parquet.Value) error, error) {
		return func(r *eventRow, v parquet.Value) error {
			f, err := numberOf(v)
			if err == nil {
				err = set(r, f)
			}
			return err
		}, nil
	}
	millis := func(field func(*eventRow) *int64) (func(*eventRow, parquet.Value) error, error) {
		return number(func(r *eventRow, f float64) (err error) {
			r.watched = true
			*field(r), err = wholeNumber(math.Round(f))
			return err
		})
	}
	switch name {
	case "at":
		unit := unitOf(kind)
		return func(r *eventRow, v parquet.Value) (err error) {
			r.At, err = timeOf(v, unit)
			return err
		}, nil
	case "value":
		return number(func(r *eventRow, f float64) error { r.Value = &f; return nil })
	case "amount":
		return number(func(r *eventRow, f float64) error { r.Amount = f; return nil })
	case "position":
		return number(func(r *eventRow, f float64) error {
			n, err := wholeNumber(f)
			r.Position = int(n)
			return err
		})
	case "watched_ms":
		return millis(func(r *eventRow) *int64 { return &r.watch.WatchedMS })
	case "position_ms":
		return millis(func(r *eventRow) *int64 { return &r.watch.PositionMS })
	case "duration_ms":
		return millis(func(r *eventRow) *int64 { return &r.watch.DurationMS })
	case "context":
		return func(r *eventRow, v parquet.Value) error {
			s, err := textOf(v)
			if err == nil && json.Unmarshal([]byte(s), &r.Context) != nil {
				err = fmt.Errorf("%.60q is not a JSON object", s)
			}
			return err
		}, nil
	}
	return nil, fmt.Errorf("an event has no such field: %w", upnext.ErrInvalid)
}

// textOf reads a string; ids that were written as numbers are ids all the same.
func textOf(v parquet.Value) (string, error) {
	switch v.Kind() {
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return string(v.ByteArray()), nil
	case parquet.Int32:
		return strconv.FormatInt(int64(v.Int32()), 10), nil
	case parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10), nil
	case parquet.Float, parquet.Double: // pandas makes these of integers among nulls
		f, _ := numberOf(v)
		n, err := wholeNumber(f)
		return strconv.FormatInt(n, 10), err
	}
	return "", fmt.Errorf("a %s is not a string", v.Kind())
}

func numberOf(v parquet.Value) (float64, error) {
	switch v.Kind() {
	case parquet.Int32:
		return float64(v.Int32()), nil
	case parquet.Int64:
		return float64(v.Int64()), nil
	case parquet.Float:
		return float64(v.Float()), nil
	case parquet.Double:
		return v.Double(), nil
	case parquet.ByteArray:
		f, err := strconv.ParseFloat(string(v.ByteArray()), 64)
		if err != nil {
			return 0, fmt.Errorf("%.60q is not a number", v.ByteArray())
		}
		return f, nil
	}
	return 0, fmt.Errorf("a %s is not a number", v.Kind())
}

func isDecimal(kind parquet.Type) bool {
	if l := kind.LogicalType(); l != nil {
		_, yes := l.Value.(*format.DecimalType)
		return yes
	}
	old := kind.ConvertedType()
	return old != nil && *old == deprecated.Decimal
}

// unitOf is the unit of a column of times; 0 where its type does not say.
func unitOf(kind parquet.Type) time.Duration {
	if l := kind.LogicalType(); l != nil {
		switch value := l.Value.(type) {
		case *format.DateType:
			return 24 * time.Hour
		case *format.TimestampType:
			switch value.Unit.Value.(type) {
			case *format.MilliSeconds:
				return time.Millisecond
			case *format.MicroSeconds:
				return time.Microsecond
			}
			return time.Nanosecond
		}
		return 0
	}
	if old := kind.ConvertedType(); old != nil {
		switch *old {
		case deprecated.Date:
			return 24 * time.Hour
		case deprecated.TimestampMillis:
			return time.Millisecond
		case deprecated.TimestampMicros:
			return time.Microsecond
		}
	}
	return 0
}

// timeOf reads a time: by its unit, as RFC 3339, as the days and nanoseconds
// of INT96, or as a number since 1970 whose size tells seconds from
// milliseconds, microseconds and nanoseconds.
func timeOf(v parquet.Value, unit time.Duration) (time.Time, error) {
	var at time.Time
	switch v.Kind() {
	case parquet.ByteArray:
		s := string(v.ByteArray())
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return at, fmt.Errorf("%.60q is not a time like 2026-11-24T09:00:00Z", s)
		}
		return at.UTC(), nil
	case parquet.Int96:
		at = julian(v.Int96())
	default:
		n, err := numberOf(v)
		if err != nil {
			return at, err
		}
		if at, err = sinceEpoch(v, n, unit); err != nil {
			return at, err
		}
	}
	if at.Year() < 1900 || at.Year() > 9998 {
		return at, fmt.Errorf("%v is not a time", v)
	}
	return at.UTC(), nil
}

func sinceEpoch(v parquet.Value, n float64, unit time.Duration) (time.Time, error) {
	if math.IsNaN(n) || math.Abs(n) > math.MaxInt64/2 {
		return time.Time{}, fmt.Errorf("%v is not a time", v)
	}
	switch size := math.Abs(n); {
	case unit != 0:
	case size < 1e11:
		unit = time.Second
	case size < 1e14:
		unit = time.Millisecond
	case size < 1e17:
		unit = time.Microsecond
	default:
		unit = time.Nanosecond
	}
	if unit == 24*time.Hour {
		return time.Unix(int64(n)*86400, 0), nil
	}
	per := int64(time.Second / unit)
	if v.Kind() == parquet.Int64 || v.Kind() == parquet.Int32 { // exactly: a float64 has 53 bits
		whole := int64(n)
		if v.Kind() == parquet.Int64 {
			whole = v.Int64()
		}
		return time.Unix(whole/per, whole%per*int64(unit)), nil
	}
	seconds, fraction := math.Modf(n / float64(per))
	return time.Unix(int64(seconds), int64(math.Round(fraction*1e6))*1000), nil
}

// julian reads the time of old Spark and Impala files.
func julian(v deprecated.Int96) time.Time {
	const epoch = 2440588 // the Julian day of 1970-01-01
	nanos := int64(v[1])<<32 | int64(v[0])
	return time.Unix((int64(v[2])-epoch)*86400, nanos)
}
