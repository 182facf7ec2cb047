package filter

import (
	"math"
	"time"

	"upnext"
)

// compare checks == != < <= > >=.
func compare(a, b value, op string, column int) (value, error) {
	if a.typ == tNil || b.typ == tNil {
		return compareNil(a, b, op, column)
	}
	if op == "!=" { // not ==, so that null differs from everything
		x, err := compare(a, b, "==", column)
		if err != nil {
			return value{}, err
		}
		return negation(x, column), nil
	}
	a, b = a.as(b.typ), b.as(a.typ)
	if a.age && !b.varies && b.typ == tNumber {
		return compareAge(b, flipped(Op(op)), column)
	}
	if b.age && !a.varies && a.typ == tNumber {
		return compareAge(a, Op(op), column)
	}
	is, err := comparison(a, b, Op(op), column)
	if err != nil {
		return value{}, err
	}
	return decision(column, a.varies || b.varies, is, pushable(a, b, Op(op))), nil
}

// pushable is the tree of a field compared with what does not vary; nil where
// there is more to it.
func pushable(a, b value, op Op) func(Vars) Node {
	if b.field != "" && !a.varies {
		a, b, op = b, a, flipped(op)
	}
	if a.field == "" || b.varies {
		return nil
	}
	field, constant := a.field, b.constant
	return func(v Vars) Node {
		x := constant(v)
		if x == nil {
			return Const(false)
		}
		return Compare{field, op, x}
	}
}

// flipped is the comparison seen from the other side.
func flipped(op Op) Op {
	switch op {
	case Lt:
		return Gt
	case Le:
		return Ge
	case Gt:
		return Lt
	case Ge:
		return Le
	}
	return op
}

// compareAge turns "hours OP age_hours" into a comparison of published_at with
// a moment: an index has a column for the one and none for the other, and the
// predicate must decide by the same rounding.
func compareAge(hours value, op Op, column int) (value, error) {
	published := value{typ: tTime, column: column, field: "published_at", varies: true, when: read[time.Time]("published_at")}
	g := hours.num
	moment := value{typ: tTime, column: column, when: func(f upnext.Fields, v Vars, cur string) (time.Time, bool) {
		h, ok := g(f, v, cur)
		if !ok || h != h {
			return time.Time{}, false
		}
		// 250 years is what a Duration holds; nothing was published before.
		const most = 250 * 365 * 24
		return v.Now.Add(-time.Duration(math.Max(-most, math.Min(most, h)) * float64(time.Hour))), true
	}}
	// hours < age: published earlier than hours ago.
	return compare(published, moment, string(op), column)
}

// compareNil checks x == nil and x != nil.
func compareNil(a, b value, op string, column int) (value, error) {
	x := a
	if a.typ == tNil {
		x = b
	}
	if op != "==" && op != "!=" {
		return value{}, failAt(column, "nil is neither more nor less than anything: only == and !=")
	}
	if x.typ == tNil || x.typ == tList || (x.typ == tBool && x.field == "") {
		return value{}, failAt(column, "%s is never nil: only fields, user.* and context.* can be", x.describe())
	}
	field := x.field
	if x.age {
		field = "published_at"
	}
	var bind func(Vars) Node
	if field != "" {
		bind = func(Vars) Node { return Null{field} }
	}
	is := decision(column, x.varies, x.missing(), bind)
	if op == "!=" {
		is = negation(is, column)
	}
	return is, nil
}

// comparison compiles the test of two sides of one type.
func comparison(a, b value, op Op, column int) (test, error) {
	if a.typ != b.typ || a.typ == tStrings || a.typ == tList {
		return nil, failAt(column, "%s %s %s: %s", a.describe(), op, b.describe(), hintCompare(a, b))
	}
	switch a.typ {
	case tString:
		return both(a.str, b.str, ordered[string](op)), nil
	case tNumber:
		return both(a.num, b.num, ordered[float64](op)), nil
	case tDuration:
		return both(a.span, b.span, ordered[time.Duration](op)), nil
	case tTime:
		return both(a.when, b.when, times(op)), nil
	case tAny:
		return both(a.dyn, b.dyn, func(x, y any) bool { return compareAny(x, y, op) }), nil
	}
	if op != Eq {
		return nil, failAt(column, "conditions are not ordered: only == and !=")
	}
	return both(a.flag, b.flag, func(x, y bool) bool { return x == y }), nil
}

func hintCompare(a, b value) string {
	list := func(x value) bool { return x.typ == tStrings || x.typ == tList }
	switch {
	case list(a) && list(b):
		return "lists cannot be compared; write any(..., # in ...)"
	case list(a) || list(b):
		return "a list is no single value; write 'x' in LIST"
	case a.typ == tTime || b.typ == tTime:
		return "the types differ; write a time as date('2026-01-31') or now() - duration('72h')"
	}
	return "the types differ"
}

// both compares where neither side is null.
func both[T any](a, b get[T], holds func(x, y T) bool) test {
	return func(f upnext.Fields, v Vars, cur string) bool {
		x, ok := a(f, v, cur)
		if !ok {
			return false
		}
		y, ok := b(f, v, cur)
		return ok && holds(x, y)
	}
}

func ordered[T string | float64 | time.Duration](op Op) func(x, y T) bool {
	switch op {
	case Lt:
		return func(x, y T) bool { return x < y }
	case Le:
		return func(x, y T) bool { return x <= y }
	case Gt:
		return func(x, y T) bool { return x > y }
	case Ge:
		return func(x, y T) bool { return x >= y }
	}
	return func(x, y T) bool { return x == y }
}

func times(op Op) func(x, y time.Time) bool {
	switch op {
	case Lt:
		return time.Time.Before
	case Le:
		return func(x, y time.Time) bool { return !x.After(y) }
	case Gt:
		return time.Time.After
	case Ge:
		return func(x, y time.Time) bool { return !x.Before(y) }
	}
	return time.Time.Equal
}

// compareAny compares values whose types are known only now; of different
// types none is true. Lists are not compared.
func compareAny(x, y any, op Op) bool {
	switch x := x.(type) {
	case string:
		y, ok := y.(string)
		return ok && ordered[string](op)(x, y)
	case float64:
		y, ok := y.(float64)
		return ok && ordered[float64](op)(x, y)
	case time.Time:
		y, ok := y.(time.Time)
		return ok && times(op)(x, y)
	case bool:
		y, ok := y.(bool)
		return ok && op == Eq && x == y
	}
	return false
}
