package rabitq

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"upnext"
	"upnext/index"
)

// operation is one call that changes a collection: entries to put, or ids to
// remove. It is applied whole.
type operation struct {
	columns []string // what the entries' fields are known by
	entries []index.Entry
	deletes []upnext.ItemID
}

// The tags of a field's value in a record. They are on disk.
const (
	tagNull byte = iota
	tagString
	tagNumber
	tagFalse
	tagTrue
	tagTime
	tagStrings
	tagUnknown // there, but no type that columns have
)

// unknown is the value of a field whose value the index was not told: filters
// let it through.
type unknown struct{}

// encode writes the operation as one record: what Decode reads. Of the
// entries' fields only the columns are kept.
func (o *operation) encode() []byte {
	var w writer
	w.uint(uint64(len(o.columns)))
	for _, name := range o.columns {
		w.string(name)
	}
	w.uint(uint64(len(o.entries)))
	for _, e := range o.entries {
		w.string(string(e.ID))
		w.floats(e.Vector)
		for _, name := range o.columns {
			w.value(e.Fields[name])
		}
	}
	w.uint(uint64(len(o.deletes)))
	for _, id := range o.deletes {
		w.string(string(id))
	}
	return w.b
}

// decode reads a record of a collection of dim components.
func decode(record []byte, dim int) (*operation, error) {
	r := reader{b: record}
	o := &operation{columns: make([]string, r.count(1))}
	for i := range o.columns {
		o.columns[i] = r.string()
	}
	o.entries = make([]index.Entry, r.count(1+4*dim))
	for i := range o.entries {
		e := index.Entry{ID: upnext.ItemID(r.string()), Vector: r.floats(dim), Fields: make(upnext.Fields, len(o.columns))}
		for _, name := range o.columns {
			if v := r.value(); v != nil {
				e.Fields[name] = v
			}
		}
		o.entries[i] = e
	}
	o.deletes = make([]upnext.ItemID, r.count(1))
	for i := range o.deletes {
		o.deletes[i] = upnext.ItemID(r.string())
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.b))
	}
	return o, r.err
}

func (w *writer) value(v any) {
	switch v := v.(type) {
	case nil:
		w.byte(tagNull)
	case string:
		w.byte(tagString)
		w.string(v)
	case float64:
		w.byte(tagNumber)
		w.int(orderFloat(v))
	case bool:
		if v {
			w.byte(tagTrue)
		} else {
			w.byte(tagFalse)
		}
	case time.Time:
		w.byte(tagTime)
		w.int(v.Unix())
		w.uint(uint64(v.Nanosecond()))
	case []string:
		w.byte(tagStrings)
		w.uint(uint64(len(v)))
		for _, s := range v {
			w.string(s)
		}
	default:
		w.byte(tagUnknown)
	}
}

func (r *reader) value() any {
	switch tag := r.byte(); tag {
	case tagNull:
		return nil
	case tagString:
		return r.string()
	case tagNumber:
		return unorderFloat(r.int())
	case tagFalse, tagTrue:
		return tag == tagTrue
	case tagTime:
		seconds := r.int()
		return time.Unix(seconds, int64(r.uint()))
	case tagStrings:
		list := make([]string, r.count(1))
		for i := range list {
			list[i] = r.string()
		}
		return list
	case tagUnknown:
		return unknown{}
	default:
		r.err = fmt.Errorf("value of kind %d: %w", tag, upnext.ErrInvalid)
		return nil
	}
}

// columnNames are the columns of a spec in order.
func columnNames(s index.Spec) []string { return slices.Sorted(maps.Keys(s.Fields)) }
