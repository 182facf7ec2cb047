package rabitq

import (
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
	"upnext/filter"
	"upnext/index"
)

var columnTypes = map[string]upnext.AttributeType{
	"s": upnext.String, "l": upnext.Strings, "n": upnext.Number, "b": upnext.Bool, "t": upnext.Time,
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Values that fields and filters share, so that they meet; the extremes among them.
var (
	someTexts   = rapid.SampledFrom([]string{"", "a", "b", "ä", "zz"})
	someNumbers = rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, -1, 1.5, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, 5e-324})
	someTimes   = rapid.SampledFrom([]time.Time{noon, noon.Add(1), noon.Add(-1), {}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), firstTime, lastTime})
)

// drawValue is a field's value of its column's type.
func drawValue(t *rapid.T, typ upnext.AttributeType) any {
	switch typ {
	case upnext.String:
		return someTexts.Draw(t, "text")
	case upnext.Strings:
		return rapid.SliceOfN(someTexts, 0, 3).Draw(t, "list")
	case upnext.Number:
		return someNumbers.Draw(t, "number")
	case upnext.Bool:
		return rapid.Bool().Draw(t, "bool")
	}
	return someTimes.Draw(t, "time")
}

func drawTree(t *rapid.T, depth int) filter.Node {
	kind := rapid.IntRange(0, 7).Draw(t, "node")
	if depth == 0 {
		kind = min(kind, 3)
	}
	several := func() []filter.Node {
		nodes := make([]filter.Node, rapid.IntRange(0, 3).Draw(t, "operands"))
		for i := range nodes {
			nodes[i] = drawTree(t, depth-1)
		}
		return nodes
	}
	switch kind {
	case 0, 1, 2:
		name := rapid.SampledFrom([]string{"s", "l", "n", "b", "t", "none"}).Draw(t, "field")
		typ := columnTypes[name]
		if typ == upnext.Strings || typ == "" {
			typ = upnext.String
		}
		ops := []filter.Op{filter.Eq, filter.Lt, filter.Le, filter.Gt, filter.Ge}
		if name == "l" || name == "b" {
			ops = ops[:1]
		}
		switch kind {
		case 0:
			return filter.Null{Field: name}
		case 1:
			in := filter.In{Field: name}
			for range rapid.IntRange(0, 3).Draw(t, "values") {
				in.Values = append(in.Values, drawValue(t, typ))
			}
			return in
		}
		return filter.Compare{Field: name, Op: rapid.SampledFrom(ops).Draw(t, "op"), Value: drawValue(t, typ)}
	case 3:
		return filter.Const(rapid.Bool().Draw(t, "const"))
	case 4, 5:
		return filter.Not{Of: drawTree(t, depth-1)}
	case 6:
		return filter.And(several())
	}
	return filter.Or(several())
}

// The columns must say what filter.Eval says of what they know, and let through
// what they do not, after any sequence of values in any slots.
func TestPredicateAgreesWithEval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const slots = 130
		columns := map[string]*column{}
		for name, typ := range columnTypes {
			columns[name] = newColumn(typ)
		}
		truth := make([]upnext.Fields, slots)
		vague := make([]bool, slots)
		for range rapid.IntRange(0, 60).Draw(t, "writes") {
			slot := rapid.Uint32Max(slots-1).Draw(t, "slot")
			truth[slot], vague[slot] = upnext.Fields{}, false
			for _, name := range []string{"b", "l", "n", "s", "t"} { // in order, for rapid to repeat
				typ := columnTypes[name]
				how := rapid.IntRange(0, 9).Draw(t, "how "+name)
				switch value := drawValue(t, typ); {
				case how < 2:
					columns[name].set(slot, nil)
				case how == 2: // the truth is there, the column was not told
					truth[slot][name] = value
					columns[name].set(slot, unknown{})
					vague[slot] = true
				default:
					truth[slot][name] = value
					columns[name].set(slot, value)
					at, isTime := value.(time.Time)
					vague[slot] = vague[slot] || isTime && (orderTime(at) == below || orderTime(at) == above)
				}
			}
		}
		sets := []bitset{}
		p := predicate{columns: columns, sets: &sets, slots: slots, scan: kernels()[0].scanKeys}
		for range 5 {
			tree := drawTree(t, 3)
			relaxed := filter.Relax(tree, p.can)
			passing := p.passing(tree)
			for slot := range uint32(slots) {
				got, want := passing.has(slot), filter.Eval(relaxed, truth[slot])
				if want && !got || got != want && !vague[slot] {
					t.Fatalf("%#v of %v in slot %d: got %v, want %v", tree, truth[slot], slot, got, want)
				}
			}
		}
	})
}

func TestOrderKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b")
		if (a < b) != (orderFloat(a) < orderFloat(b)) || (a == b) != (orderFloat(a) == orderFloat(b)) {
			t.Fatalf("keys of %v and %v are %d and %d", a, b, orderFloat(a), orderFloat(b))
		}
		if unorderFloat(orderFloat(a)) != a {
			t.Fatalf("%v comes back as %v", a, unorderFloat(orderFloat(a)))
		}
	})
	if orderFloat(math.NaN()) != above || !math.IsNaN(unorderFloat(above)) {
		t.Errorf("NaN has key %d, want %d", orderFloat(math.NaN()), int64(above))
	}
}

func TestOperationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &operation{columns: []string{"b", "l", "n", "s", "t"}, entries: []index.Entry{}, deletes: []upnext.ItemID{}}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			e := index.Entry{ID: upnext.ItemID(rapid.String().Draw(t, "id")), Vector: []float32{rapid.Float32().Draw(t, "x"), 1}, Fields: upnext.Fields{}}
			for _, name := range o.columns {
				if value := drawValue(t, columnTypes[name]); rapid.Bool().Draw(t, "has "+name) {
					e.Fields[name] = value
				}
			}
			o.entries = append(o.entries, e)
		}
		for range rapid.IntRange(0, 4).Draw(t, "deletes") {
			o.deletes = append(o.deletes, upnext.ItemID(rapid.String().Draw(t, "gone")))
		}
		record := o.encode()
		got, err := decode(record, 2)
		if err != nil || len(got.entries) != len(o.entries) || !reflect.DeepEqual(got.deletes, o.deletes) {
			t.Fatalf("got %+v, %v, want %+v", got, err, o)
		}
		for i, e := range o.entries {
			if got.entries[i].ID != e.ID || !reflect.DeepEqual(got.entries[i].Vector, e.Vector) || len(got.entries[i].Fields) != len(e.Fields) {
				t.Fatalf("entry %d: got %+v, want %+v", i, got.entries[i], e)
			}
			for name, want := range e.Fields {
				value := got.entries[i].Fields[name]
				at, isTime := want.(time.Time)
				number, isNumber := want.(float64)
				switch {
				case isTime && at.Equal(value.(time.Time)), isNumber && number != number, reflect.DeepEqual(value, want):
				case isNumber && number == value.(float64): // 0 and -0
				default:
					t.Fatalf("entry %d, field %s: got %v, want %v", i, name, value, want)
				}
			}
		}
		if cut := rapid.IntRange(0, len(record)-1).Draw(t, "cut"); cut < len(record) {
			if _, err := decode(record[:cut], 2); err == nil {
				t.Fatalf("a record cut at byte %d of %d is taken", cut, len(record))
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add((&operation{columns: []string{"s"}, entries: []index.Entry{{ID: "a", Vector: []float32{1, 0}, Fields: upnext.Fields{"s": "x"}}}}).encode())
	f.Fuzz(func(t *testing.T, record []byte) {
		o, err := decode(record, 2)
		if err == nil && len(o.entries) > len(record) {
			t.Errorf("%d entries of %d bytes", len(o.entries), len(record))
		}
	})
}
