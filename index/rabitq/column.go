package rabitq

import (
	"slices"
	"time"

	"upnext"
	"upnext/filter"
)

// column is one field of every slot, in the form that filters are answered
// from. A slot is null, unknown (written before the column was, or with a value
// of another type), or has a value.
type column struct {
	typ     upnext.AttributeType
	unknown bitset
	present bitset // has a value

	texts *texts  // of String, Strings and Bool
	keys  []int64 // by slot, of Number and Time: see order.go
}

func newColumn(typ upnext.AttributeType) *column {
	c := &column{typ: typ}
	if !c.ordered() {
		c.texts = &texts{codes: map[string]uint32{}}
	}
	return c
}

func (c *column) ordered() bool { return c.typ == upnext.Number || c.typ == upnext.Time }

// set gives slot a value: nil is null.
func (c *column) set(slot uint32, v any) {
	c.clear(slot)
	var list []string
	var key int64
	var known bool
	switch v := v.(type) {
	case nil:
		return
	case string:
		list, known = []string{v}, c.typ == upnext.String
	case bool:
		list, known = []string{boolText(v)}, c.typ == upnext.Bool
	case []string:
		list, known = v, c.typ == upnext.Strings
		if known && len(v) == 0 {
			return // a list without elements counts as null
		}
	case float64:
		key, known = orderFloat(v), c.typ == upnext.Number
	case time.Time:
		key = orderTime(v)
		known = c.typ == upnext.Time && key != below && key != above
	default:
		known = false
	}
	if !known {
		c.unknown = c.unknown.add(slot)
		return
	}
	c.present = c.present.add(slot)
	if c.texts != nil {
		c.texts.add(slot, list)
		return
	}
	for int(slot) >= len(c.keys) {
		c.keys = append(c.keys, make([]int64, 64)...) // whole words: see scan
	}
	c.keys[slot] = key
}

// clear makes slot null.
func (c *column) clear(slot uint32) {
	c.unknown.remove(slot)
	if c.texts != nil && c.present.has(slot) {
		c.texts.remove(slot)
	}
	c.present.remove(slot)
}

func boolText(v bool) string {
	if v {
		return "true"
	}
	return "false"
}

// can reports whether the column answers a comparison with v.
func (c *column) can(op filter.Op, v any) bool {
	switch v.(type) {
	case string:
		return c.typ == upnext.String || c.typ == upnext.Strings && op == filter.Eq
	case bool:
		return c.typ == upnext.Bool && op == filter.Eq
	case float64:
		return c.typ == upnext.Number
	case time.Time:
		return c.typ == upnext.Time
	}
	return false
}

// compare adds to dst the slots for which the comparison holds; can said that
// it is one for this column.
func (c *column) compare(op filter.Op, v any, dst, scratch bitset, scanKeys keyScan) {
	switch v := v.(type) {
	case string:
		c.texts.compare(op, v, dst, scratch)
	case bool:
		c.texts.compare(op, boolText(v), dst, scratch)
	case float64:
		if v == v { // else nothing compares with it
			c.scan(op, orderFloat(v), dst, scratch, scanKeys)
		}
	case time.Time:
		c.scan(op, orderTime(v), dst, scratch, scanKeys)
	}
}

// keyScan is a kernel's scanKeys.
type keyScan func(keys *int64, words int, first, last int64, out *uint64)

// scan compares all keys with one.
func (c *column) scan(op filter.Op, key int64, dst, scratch bitset, scanKeys keyScan) {
	first, last := int64(below+1), int64(above-1)
	switch op {
	case filter.Eq:
		first, last = key, key
	case filter.Lt:
		last = key - 1 // no key of a value is below, so this does not wrap
	case filter.Le:
		last = key
	case filter.Gt:
		first = key + 1
	case filter.Ge:
		first = key
	}
	if key == below { // a time before all that keys can say
		if op != filter.Gt && op != filter.Ge {
			return
		}
		first = below + 1
	}
	if key == above {
		if op != filter.Lt && op != filter.Le {
			return
		}
		last = above - 1
	}
	if first > last {
		return
	}
	words := min(len(dst), len(c.keys)/64)
	if words == 0 {
		return
	}
	scanKeys(&c.keys[0], words, first, last, &scratch[0])
	scratch[:words].and(c.present)
	dst.or(scratch[:words])
}

// texts are the values of a column of strings: each has a code, a posting of
// the slots that have it, and each slot a list of codes.
type texts struct {
	codes    map[string]uint32
	values   []string
	postings []posting
	free     []uint32 // codes that no slot has

	// What slots have: most have one value, and a list each would be most of what a
	// column takes.
	first []uint32            // one plus the code of a slot's first value; 0: it has none
	more  map[uint32][]uint32 // codes of the others
}

// held appends to into the codes of a slot.
func (x *texts) held(into []uint32, slot uint32) []uint32 {
	if int(slot) >= len(x.first) || x.first[slot] == 0 {
		return into
	}
	return append(append(into, x.first[slot]-1), x.more[slot]...)
}

// hold gives a slot codes, in place of those it had.
func (x *texts) hold(slot uint32, codes []uint32) {
	if n := int(slot) + 1 - len(x.first); n > 0 {
		x.first = append(x.first, make([]uint32, n)...)
	}
	delete(x.more, slot)
	if x.first[slot] = 0; len(codes) > 0 {
		x.first[slot] = codes[0] + 1
	}
	if len(codes) > 1 {
		if x.more == nil {
			x.more = map[uint32][]uint32{}
		}
		x.more[slot] = slices.Clone(codes[1:])
	}
}

func (x *texts) add(slot uint32, list []string) {
	held := make([]uint32, 0, len(list))
	for _, value := range list {
		code, ok := x.codes[value]
		switch {
		case ok:
		case len(x.free) > 0:
			code = x.free[len(x.free)-1]
			x.free = x.free[:len(x.free)-1]
			x.values[code] = value
			x.codes[value] = code
		default:
			code = uint32(len(x.values))
			x.values = append(x.values, value)
			x.postings = append(x.postings, posting{})
			x.codes[value] = code
		}
		if !slices.Contains(held, code) {
			held = append(held, code)
			x.postings[code].add(slot)
		}
	}
	x.hold(slot, held)
}

func (x *texts) remove(slot uint32) {
	for _, code := range x.held(nil, slot) {
		x.postings[code].remove(slot)
		if x.postings[code].empty() {
			delete(x.codes, x.values[code])
			x.values[code], x.postings[code] = "", posting{}
			x.free = append(x.free, code)
		}
	}
	x.hold(slot, nil)
}

// compare adds the slots of every value for which the comparison holds.
func (x *texts) compare(op filter.Op, v string, dst, scratch bitset) {
	if op == filter.Eq {
		if code, ok := x.codes[v]; ok {
			x.postings[code].or(dst, scratch)
		}
		return
	}
	for code, value := range x.values {
		if op == filter.Lt && value < v || op == filter.Le && value <= v ||
			op == filter.Gt && value > v || op == filter.Ge && value >= v {
			x.postings[code].or(dst, scratch) // nothing for a free code
		}
	}
}
