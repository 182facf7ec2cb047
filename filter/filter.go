// Package filter is the expression language of filters and boosts. An
// expression is parsed and type-checked once, against the items' typed fields;
// its Go predicate is the truth, and its tree is what an index may push down.
package filter

import (
	"slices"
	"time"

	"upnext"
)

// Vars are the values of the names that do not belong to the item.
type Vars struct {
	Now     time.Time      // what now() and age_hours mean
	User    map[string]any // user.*: string, float64, bool, time.Time, []string
	Context map[string]any // context.*: the same
}

// Filter is a parsed and type-checked expression. It is immutable and safe
// for concurrent use. A nil Filter passes everything.
type Filter struct {
	src  string
	uses []string
	test test
	bind func(Vars) Node
}

// Match reports whether an item passes. It never panics: a field whose value
// is not of its declared type counts as null.
func (f *Filter) Match(fields upnext.Fields, vars Vars) bool {
	return f == nil || f.test(fields, vars, "")
}

// Bind returns the tree for an index: user.*, context.*, now() and all that is
// constant are replaced by their values, and what the tree cannot say is Opaque.
func (f *Filter) Bind(vars Vars) Node {
	if f == nil {
		return Const(true)
	}
	return f.bind(vars)
}

// Uses returns the names of the item's fields that the expression reads, as
// they stand in upnext.Fields, sorted. Callers must not change it.
func (f *Filter) Uses() []string {
	if f == nil {
		return nil
	}
	return f.uses
}

// String returns the expression as it was written.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.src
}

// get computes a value for one item. Its second result is false for null. The
// arguments are passed by value because a pointer would escape to the heap
// with every call through a func value; cur is what # stands for.
type get[T any] func(f upnext.Fields, v Vars, cur string) (T, bool)

// test is a condition: two-valued, null has become false.
type test func(f upnext.Fields, v Vars, cur string) bool

// value is a type-checked expression: its type, and the getter of that type
// (the others are nil).
type value struct {
	typ    typ
	column int
	field  string // where it is nothing but a field of the item: its name
	age    bool   // where it is nothing but age_hours
	varies bool   // depends on the item or on #, so that Bind cannot fold it

	str  get[string]
	num  get[float64]
	flag get[bool]
	when get[time.Time]
	span get[time.Duration]
	list get[[]string]
	dyn  get[any]

	items []value           // the elements of a list written in brackets
	test  test              // of a flag: null is false
	bind  func(v Vars) Node // of a flag
}

// typ is what an expression can be.
type typ string

const (
	tString   typ = "string"
	tNumber   typ = "number"
	tBool     typ = "bool"
	tTime     typ = "time"
	tDuration typ = "duration"
	tStrings  typ = "strings" // a field with several strings
	tList     typ = "list"    // written in brackets
	tAny      typ = "any"     // user.* and context.*: known only when asked
	tNil      typ = "nil"
)

// constant returns what an expression that does not vary is worth: string,
// float64, bool, time.Time or []string; nil for null.
func (x value) constant(v Vars) any {
	switch x.typ {
	case tString:
		return boxed(x.str, v)
	case tNumber:
		n, ok := x.num(nil, v, "")
		if !ok || n != n { // NaN equals nothing, which is what null means here
			return nil
		}
		return n
	case tBool:
		return boxed(x.flag, v)
	case tTime:
		return boxed(x.when, v)
	case tStrings:
		return boxed(x.list, v)
	case tAny:
		return boxed(x.dyn, v)
	}
	return nil
}

func boxed[T any](g get[T], v Vars) any {
	if x, ok := g(nil, v, ""); ok {
		return x
	}
	return nil
}

// missing is the test for null.
func (x value) missing() test {
	switch x.typ {
	case tString:
		return absent(x.str)
	case tNumber:
		return absent(x.num)
	case tBool:
		return absent(x.flag)
	case tTime:
		return absent(x.when)
	case tDuration:
		return absent(x.span)
	case tStrings:
		return absent(x.list)
	}
	return absent(x.dyn)
}

func absent[T any](g get[T]) test {
	return func(f upnext.Fields, v Vars, cur string) bool {
		_, ok := g(f, v, cur)
		return !ok
	}
}

// as narrows a value of unknown type (user.*, context.*) to one type: what is
// of another type when asked counts as null. Others are returned as they are.
func (x value) as(t typ) value {
	if x.typ != tAny || t == tAny {
		return x
	}
	g := x.dyn
	x.typ, x.dyn = t, nil
	switch t {
	case tString:
		x.str = narrow[string](g)
	case tNumber:
		x.num = narrow[float64](g)
	case tBool:
		return condition(x, narrow[bool](g))
	case tTime:
		x.when = narrow[time.Time](g)
	case tStrings:
		x.list = narrow[[]string](g)
	case tDuration: // no variable holds one
		x.span = func(upnext.Fields, Vars, string) (time.Duration, bool) { return 0, false }
	}
	return x
}

func narrow[T any](g get[any]) get[T] {
	return func(f upnext.Fields, v Vars, cur string) (T, bool) {
		x, _ := g(f, v, cur)
		t, ok := x.(T)
		return t, ok
	}
}

// condition makes x a flag that is read by g.
func condition(x value, g get[bool]) value {
	x.typ, x.flag = tBool, g
	x.test = func(f upnext.Fields, v Vars, cur string) bool {
		is, ok := g(f, v, cur)
		return ok && is
	}
	switch field := x.field; {
	case field != "":
		x.bind = func(Vars) Node { return Compare{field, Eq, true} }
	case x.varies:
		x.bind = opaque
	default:
		is := x.test
		x.bind = func(v Vars) Node { return Const(is(nil, v, "")) }
	}
	return x
}

// decision makes a flag that is never null. bind is what an index may know of
// it; nil where nothing can be said. What does not vary becomes a Const.
func decision(column int, varies bool, is test, bind func(Vars) Node) value {
	x := value{typ: tBool, column: column, varies: varies, test: is, bind: bind}
	x.flag = func(f upnext.Fields, v Vars, cur string) (bool, bool) { return is(f, v, cur), true }
	switch {
	case !varies:
		x.bind = func(v Vars) Node { return Const(is(nil, v, "")) }
	case bind == nil:
		x.bind = opaque
	}
	return x
}

func opaque(Vars) Node { return Opaque{} }

// sortedNames returns the keys of a set in their order.
func sortedNames(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
