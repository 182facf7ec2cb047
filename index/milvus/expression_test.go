package milvus

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"pgregory.net/rapid"

	"upnext"
	"upnext/filter"
	"upnext/index"
	"upnext/index/indextest"
	"upnext/infra/enginetest"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Values that fields and filters share, so that they meet: all that quoting
// could go wrong over, and the extremes.
var (
	texts = []string{"a", "b", "ä", "租户", `"`, `\`, `\"`, `'`, "a\nb", "a\rb", "a\tb", "a\x01b", "\u2028", "%", "a%", `\u0041`, `" or pk != "`, "zz", "😀"}
	reals = []float64{0, math.Copysign(0, -1), 1, -1, 1.5, 2, 1e15, 1e20, -1e20, 5e-324, 1e298, math.MaxFloat64, math.Inf(1), math.Inf(-1)}
	times = []time.Time{noon, noon.Add(1), noon.Add(-1), {}, time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
)

// fieldTypes are columns and fields without one, of every type.
var fieldTypes = map[string]upnext.AttributeType{
	"kind": upnext.String, "tags": upnext.Strings, "min_age": upnext.Number, "published_at": upnext.Time,
	"attributes.s": upnext.String, "attributes.l": upnext.Strings, "attributes.n": upnext.Number, "attributes.t": upnext.Time, "attributes.b": upnext.Bool,
}

func draw(t *rapid.T, typ upnext.AttributeType) any {
	switch typ {
	case upnext.String:
		return rapid.SampledFrom(texts).Draw(t, "text")
	case upnext.Strings:
		return rapid.SliceOfN(rapid.SampledFrom(texts), 0, 3).Draw(t, "list")
	case upnext.Number:
		return rapid.SampledFrom(reals).Draw(t, "number")
	case upnext.Bool:
		return rapid.Bool().Draw(t, "flag")
	}
	return rapid.SampledFrom(times).Draw(t, "time")
}

func drawTree(t *rapid.T, depth int) filter.Node {
	kind := rapid.IntRange(0, 7).Draw(t, "node")
	if depth == 0 {
		kind = min(kind, 4)
	}
	several := func() []filter.Node {
		nodes := make([]filter.Node, rapid.IntRange(2, 3).Draw(t, "operands"))
		for i := range nodes {
			nodes[i] = drawTree(t, depth-1)
		}
		return nodes
	}
	names := make([]string, 0, len(fieldTypes))
	for name := range fieldTypes {
		names = append(names, name)
	}
	slices.Sort(names)
	field := rapid.SampledFrom(names).Draw(t, "field")
	typ := fieldTypes[field]
	ops := []filter.Op{filter.Eq, filter.Lt, filter.Le, filter.Gt, filter.Ge}
	if typ == upnext.Strings || typ == upnext.Bool {
		ops = ops[:1]
	}
	if typ == upnext.Strings {
		typ = upnext.String
	}
	switch kind {
	case 0:
		return filter.Null{Field: field}
	case 1:
		in := filter.In{Field: field}
		for range rapid.IntRange(0, 3).Draw(t, "values") {
			in.Values = append(in.Values, draw(t, typ))
		}
		return in
	case 2, 3, 4:
		return filter.Compare{Field: field, Op: rapid.SampledFrom(ops).Draw(t, "op"), Value: draw(t, typ)}
	case 5:
		return filter.Not{Of: drawTree(t, depth-1)}
	case 6:
		return filter.And(several())
	}
	return filter.Or(several())
}

// What is written must parse on the real servers and pass exactly what
// filter.Eval says, whatever the strings, nulls and nots.
func TestExpressionsAgreeWithEval(t *testing.T) {
	for name, variable := range servers {
		t.Run(name, func(t *testing.T) {
			c := fresh(t, enginetest.URL(t, variable))
			created, err := c.Create(t.Context(), "t", "main", index.Spec{Dim: 8, Fields: fieldTypes})
			if err != nil {
				t.Fatal(err)
			}
			x := created.(*Index)
			list := make([]index.Entry, 120)
			values := rapid.Custom(func(t *rapid.T) upnext.Fields {
				f := upnext.Fields{"title": "x"}
				for field, typ := range fieldTypes {
					if rapid.IntRange(0, 3).Draw(t, "has") > 0 {
						f[field] = draw(t, typ)
					}
				}
				return f
			})
			for i, v := range indextest.Vectors(61, len(list), 8) {
				list[i] = index.Entry{ID: upnext.ItemID(fmt.Sprintf("e%d\"\\'/%%", i)), Vector: v, Fields: values.Example(i)}
			}
			if err := x.Upsert(t.Context(), list...); err != nil {
				t.Fatal(err)
			}
			if n, err := c.count(t.Context(), x.collection, c.server.ofTenant("t")); err != nil || n != len(list) { // strong: bounded reads see all from here on
				t.Fatalf("count: %d, %v", n, err)
			}
			if n, err := c.count(t.Context(), x.collection, c.server.ofTenant("t")+" and "+columnPartial+" == true"); err != nil || n != 0 {
				t.Fatalf("%d rows are partial, %v: want none", n, err)
			}
			rapid.Check(t, func(rt *rapid.T) {
				tree := drawTree(rt, 3)
				p := printer{server: c.server, fields: fieldTypes}
				relaxed := filter.Relax(tree, p.can)
				text, none := c.server.expression("t", tree, fieldTypes)
				got := map[string]bool{}
				if !none {
					rows, err := c.query(t.Context(), x.collection, text, []string{columnPrimary}, entity.ClEventually)
					if err != nil {
						rt.Fatalf("%s: %v", text, err)
					}
					if column, is := rows.GetColumn(columnPrimary).(*entity.ColumnVarChar); is {
						for _, pk := range column.Data() {
							got[pk] = true
						}
					}
				}
				for _, e := range list {
					if want := filter.Eval(relaxed, e.Fields); got[primary("t", string(e.ID))] != want {
						rt.Fatalf("%s: %v: got %v, want %v", text, e.Fields, !want, want)
					}
				}
			})
		})
	}
}

// What does not fit a column is let through, also under a not, and a long list
// parses.
func TestPartialRowsPass(t *testing.T) {
	for name, variable := range servers {
		t.Run(name, func(t *testing.T) {
			c := fresh(t, enginetest.URL(t, variable))
			x, err := c.Create(t.Context(), "t", "main", index.Spec{Dim: 8, Fields: fieldTypes})
			if err != nil {
				t.Fatal(err)
			}
			long := make([]string, mostElements+1)
			for i := range long {
				long[i] = fmt.Sprint("t", i)
			}
			huge := make([]byte, longestMore+1)
			for i := range huge {
				huge[i] = 'x'
			}
			odd := []upnext.Fields{
				{"kind": ""}, {"kind": "a\x00"}, {"kind": "\xff"}, {"kind": string(huge)}, {"kind": 3.0}, {"tags": long}, {"min_age": math.NaN()},
				{"attributes.n": math.NaN()}, {"attributes.s": string(huge)}, {"attributes.s": "\xff"}, {"attributes.s": struct{}{}}, {`attributes."`: "x"},
			}
			list := make([]index.Entry, len(odd))
			for i, v := range indextest.Vectors(62, len(odd), 8) {
				list[i] = index.Entry{ID: upnext.ItemID(fmt.Sprint("e", i)), Vector: v, Fields: odd[i]}
			}
			if err := x.Upsert(t.Context(), list...); err != nil {
				t.Fatal(err)
			}
			own := x.(*Index)
			many := filter.In{Field: "kind"}
			for i := range 1000 {
				many.Values = append(many.Values, fmt.Sprint("value ", i))
			}
			for _, tree := range []filter.Node{
				filter.Compare{Field: "kind", Op: filter.Eq, Value: "a"}, filter.Not{Of: filter.Compare{Field: "kind", Op: filter.Gt, Value: "a"}},
				filter.Compare{Field: "attributes.n", Op: filter.Lt, Value: 1.0}, filter.Not{Of: filter.Null{Field: "tags"}}, many,
			} {
				text, _ := c.server.expression("t", tree, fieldTypes)
				if n, err := c.count(t.Context(), own.collection, text); err != nil || n != len(odd) {
					t.Errorf("%.200s: %d rows pass, %v: want all %d", text, n, err, len(odd))
				}
			}
		})
	}
}
