package milvus

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
	"upnext/index"
)

// Milvus 2.3 has no nulls, so that each column has a value that means null and
// that no value of an item becomes: "" (an item's "" makes its row partial), a
// list without elements, and for numbers and times one below all others, which
// are held within bounds that no filter's literal reaches.
const (
	nullNumber  = -1e300
	leastNumber = -1e299
	mostNumber  = 1e299
	nullTime    = -9_000_000_000_000_000_000 // nanoseconds since 1970
	leastTime   = -8_900_000_000_000_000_000
	mostTime    = 9_000_000_000_000_000_000
)

// nanoseconds of a time, within the bounds.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, leastTime)):
		return leastTime
	case t.After(time.Unix(0, mostTime)):
		return mostTime
	}
	return t.UnixNano()
}

// bounded also makes 0 of -0, which not every server finds in a list.
func bounded(x float64) float64 { return 0 + math.Max(leastNumber, math.Min(mostNumber, x)) }

// rows are entries as columns.
type rows struct {
	tenant  upnext.Tenant
	dim     int
	pks     []string
	vectors [][]float32
	more    [][]byte
	present [][][]byte
	partial []bool
	texts   map[string][]string
	lists   map[string][][][]byte
	numbers map[string][]float64
	flags   map[string][]bool
	times   map[string][]int64
	bytes   int // about what they weigh on the wire
}

func newRows(t upnext.Tenant, dim int) *rows {
	return &rows{tenant: t, dim: dim, texts: map[string][]string{}, lists: map[string][][][]byte{},
		numbers: map[string][]float64{}, flags: map[string][]bool{}, times: map[string][]int64{}}
}

// add appends an entry. Nothing of it is lost that a filter could miss: what
// does not fit makes the row partial.
func (r *rows) add(e index.Entry) {
	partial := false
	for _, name := range builtin() {
		partial = !r.addColumn(name, e.Fields[name]) || partial
	}
	more, present, fits := others(e.Fields)
	r.pks = append(r.pks, primary(r.tenant, string(e.ID)))
	r.vectors = append(r.vectors, e.Vector)
	r.more, r.present = append(r.more, more), append(r.present, present)
	r.partial = append(r.partial, partial || !fits)
	r.bytes += 4*len(e.Vector) + len(more) + len(e.ID) + 256
}

// addColumn appends a built-in field's value, null where it is nil or does not
// fit, and reports whether it fits.
func (r *rows) addColumn(name string, v any) bool {
	switch upnext.ItemFields[name] {
	case upnext.String:
		text, is := v.(string)
		fits := v == nil || is && text != "" && len(text) <= longestText && storable(text)
		if !fits {
			text = ""
		}
		r.texts[name] = append(r.texts[name], text)
		r.bytes += len(text)
		return fits
	case upnext.Strings:
		list, is := v.([]string)
		fits := (v == nil || is) && len(list) <= mostElements && !slices.ContainsFunc(list, func(s string) bool { return len(s) > longestElement || !storable(s) })
		elements := [][]byte{}
		if fits {
			for _, s := range list {
				elements = append(elements, []byte(s))
				r.bytes += len(s) + 4
			}
		}
		r.lists[name] = append(r.lists[name], elements)
		return fits
	case upnext.Number:
		x, is := v.(float64)
		fits := v == nil || is && x == x
		if v == nil || !fits {
			x = nullNumber
		} else {
			x = bounded(x)
		}
		r.numbers[name] = append(r.numbers[name], x)
		return fits
	case upnext.Time:
		t, is := v.(time.Time)
		at := int64(nullTime)
		if is {
			at = nanoseconds(t)
		}
		r.times[name] = append(r.times[name], at)
		return v == nil || is
	}
	flag, is := v.(bool)
	r.flags[name] = append(r.flags[name], flag)
	return is // a bool has no value to spare for null
}

// others are the fields without a column, as JSON: each under the initial of
// its type, so that a comparison meets values of its own type alone.
func others(fields upnext.Fields) (more []byte, present [][]byte, fits bool) {
	values, fits := map[string]any{}, true
	present = [][]byte{}
	for name, v := range fields {
		if _, has := upnext.ItemFields[name]; has || v == nil {
			continue
		}
		if list, is := v.([]string); is && len(list) == 0 {
			continue // counts as null
		}
		known := pathable(name) && len(present) < mostPresent
		if known {
			present = append(present, []byte(name))
		}
		switch v := v.(type) {
		case string:
			known = known && storable(v)
			values["s:"+name] = v
		case []string:
			known = known && !slices.ContainsFunc(v, func(s string) bool { return !storable(s) })
			values["l:"+name] = v
		case bool:
			values["b:"+name] = v
		case time.Time:
			values["t:"+name] = nanoseconds(v)
		case float64:
			known = known && v == v
			values["n:"+name] = json.RawMessage(strconv.FormatFloat(bounded(v), 'e', -1, 64))
		default:
			known = false
		}
		if !known {
			fits = false
			for _, initial := range []string{"s:", "l:", "n:", "b:", "t:"} {
				delete(values, initial+name)
			}
		}
	}
	more, err := json.Marshal(values)
	if err != nil || len(more) > longestMore {
		return []byte("{}"), [][]byte{}, false
	}
	slices.SortFunc(present, func(a, b []byte) int { return strings.Compare(string(a), string(b)) })
	return more, present, fits
}

// storable reports whether columns and expressions carry a string unchanged.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// pathable reports whether a name can be written as a path into JSON: the
// signs that quote or divide such paths differ between servers.
func pathable(name string) bool {
	return len(name) <= longestElement-2 && printable(name) && !strings.ContainsAny(name, `"'\/~[]`)
}

// columns are the rows for the SDK.
func (r *rows) columns() []entity.Column {
	tenants := make([]string, len(r.pks))
	for i := range tenants {
		tenants[i] = string(r.tenant)
	}
	columns := []entity.Column{
		entity.NewColumnVarChar(columnPrimary, r.pks),
		entity.NewColumnVarChar(columnTenant, tenants),
		entity.NewColumnFloatVector(columnVector, r.dim, r.vectors),
		entity.NewColumnJSONBytes(columnMore, r.more),
		entity.NewColumnVarCharArray(columnPresent, r.present),
		entity.NewColumnBool(columnPartial, r.partial),
	}
	for name, v := range r.texts {
		columns = append(columns, entity.NewColumnVarChar(name, v))
	}
	for name, v := range r.lists {
		columns = append(columns, entity.NewColumnVarCharArray(name, v))
	}
	for name, v := range r.numbers {
		columns = append(columns, entity.NewColumnDouble(name, v))
	}
	for name, v := range r.times {
		columns = append(columns, entity.NewColumnInt64(name, v))
	}
	for name, v := range r.flags {
		columns = append(columns, entity.NewColumnBool(name, v))
	}
	return columns
}
