package filter

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"upnext"
)

// call checks the functions.
func (c *checker) call(name string, args []ast.Node, column int) (value, error) {
	needs := map[string]int{"now": 0, "len": 1, "duration": 1, "date": 1, "any": 2, "all": 2, "none": 2}
	n, ok := needs[name]
	if !ok {
		return value{}, failAt(column, "no function %s; there are len any all none now duration date", name)
	}
	if len(args) != n {
		return value{}, failAt(column, "%s takes %d arguments, not %d", name, n, len(args))
	}
	switch name {
	case "now":
		return value{typ: tTime, column: column, when: func(_ upnext.Fields, v Vars, _ string) (time.Time, bool) {
			return v.Now, true
		}}, nil
	case "len":
		return c.length(args[0], column)
	case "duration":
		text, err := literal(args[0], name, column)
		if err != nil {
			return value{}, err
		}
		d, ok := duration(text)
		if !ok {
			return value{}, failAt(columnOf(args[0]), "%q is no duration; write it as 90m, 72h or 30d", text)
		}
		return value{typ: tDuration, column: column, span: always(d)}, nil
	case "date":
		text, err := literal(args[0], name, column)
		if err != nil {
			return value{}, err
		}
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if at, err := time.Parse(layout, text); err == nil {
				return value{typ: tTime, column: column, when: always(at)}, nil
			}
		}
		return value{}, failAt(columnOf(args[0]), "%q is no date; write it as 2026-01-31 or 2026-01-31T12:00:00Z", text)
	}
	return c.quantifier(name, args[0], args[1], column)
}

func literal(n ast.Node, name string, column int) (string, error) {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value, nil
	}
	return "", failAt(column, "%s takes one text in quotes", name)
}

// duration reads what Go reads, and days, which Go does not.
func duration(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		h := n * 24 * float64(time.Hour)
		return time.Duration(h), err == nil && math.Abs(h) < math.MaxInt64
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// length is the number of a list's elements or of a text's characters. What
// is missing has none: an item without topics has 0 of them, not null.
func (c *checker) length(n ast.Node, column int) (value, error) {
	x, err := c.value(n)
	if err != nil {
		return value{}, err
	}
	count := value{typ: tNumber, column: column, varies: x.varies}
	switch x.typ {
	case tString:
		s := x.str
		count.num = func(f upnext.Fields, v Vars, cur string) (float64, bool) {
			x, _ := s(f, v, cur)
			return float64(utf8.RuneCountInString(x)), true
		}
	case tStrings:
		l := x.list
		count.num = func(f upnext.Fields, v Vars, cur string) (float64, bool) {
			x, _ := l(f, v, cur)
			return float64(len(x)), true
		}
	case tList:
		count.num = always(float64(len(x.items)))
	case tAny:
		g := x.dyn
		count.num = func(f upnext.Fields, v Vars, cur string) (float64, bool) {
			x, _ := g(f, v, cur)
			switch x := x.(type) {
			case string:
				return float64(utf8.RuneCountInString(x)), true
			case []string:
				return float64(len(x)), true
			}
			return 0, x == nil
		}
	default:
		return value{}, failAt(x.column, "%s has no length", x.describe())
	}
	return count, nil
}

// quantifier checks any, all and none over a list of strings, with # for the
// element.
func (c *checker) quantifier(name string, over, predicate ast.Node, column int) (value, error) {
	list, err := c.value(over)
	if err != nil {
		return value{}, err
	}
	if list.typ == tList {
		list, err = list.flatten()
		if err != nil {
			return value{}, err
		}
	}
	if list = list.as(tStrings); list.typ != tStrings {
		return value{}, failAt(list.column, "%s over %s: a list of strings is needed", name, list.describe())
	}
	body, ok := predicate.(*ast.PredicateNode)
	if !ok {
		return value{}, failAt(columnOf(predicate), "%s takes a condition on #", name)
	}
	outside := c.inside
	c.inside = true
	each, err := c.flag(body.Node)
	if err != nil {
		return value{}, err
	}
	one, hasOne := c.pushableElement(list, body.Node)
	c.inside = outside

	want := name != "all" // what to look for in the elements
	l, is := list.list, each.test
	found := func(f upnext.Fields, v Vars, cur string) bool {
		elements, _ := l(f, v, cur)
		for _, e := range elements {
			if is(f, v, e) == want {
				return true
			}
		}
		return false
	}
	var bind func(Vars) Node
	if hasOne && want {
		bind = one
	}
	// each.varies because of # at least, which is no reason while the list is constant.
	x := decision(column, true, found, bind)
	if name != "any" {
		x = negation(x, column)
	}
	return x, nil
}

// flatten makes a bracketed list of strings one that any and all go over.
func (x value) flatten() (value, error) {
	if of := x.elementType(); of != tString {
		return value{}, failAt(x.column, "a list of strings is needed, not of %ss", of)
	}
	all, ok := x.literals()
	if !ok {
		return value{}, failAt(x.column, "any, all and none take literals here: put the variables into one list")
	}
	elements := all.few
	if all.many != nil {
		elements = make([]string, 0, len(all.many))
		for _, e := range x.items {
			s, _ := e.str(nil, Vars{}, "")
			elements = append(elements, s)
		}
	}
	return value{typ: tStrings, column: x.column, list: always(elements)}, nil
}

// pushableElement finds the forms of any that an index can answer:
// any(FIELD, # == constant), any(FIELD, # in constants), any(constants, # in FIELD).
func (c *checker) pushableElement(list value, body ast.Node) (func(Vars) Node, bool) {
	b, ok := body.(*ast.BinaryNode)
	if !ok {
		return nil, false
	}
	_, left := b.Left.(*ast.PointerNode)
	_, right := b.Right.(*ast.PointerNode)
	if left == right {
		return nil, false
	}
	other := b.Right
	if right {
		other = b.Left
	}
	x, err := c.value(other)
	if err != nil {
		return nil, false // it was checked before; this cannot be
	}
	switch {
	case b.Operator == "==" && list.field != "" && !x.varies:
		return pushable(value{field: list.field, varies: true}, x.as(tString), Eq), true
	case b.Operator == "in" && left && list.field != "" && !x.varies && x.typ == tList:
		return func(v Vars) Node {
			var values []any
			for _, e := range x.items {
				if s := e.as(tString).constant(v); s != nil {
					values = append(values, s)
				}
			}
			return membership(list.field, values)
		}, true
	case b.Operator == "in" && left && list.field != "" && !x.varies:
		return func(v Vars) Node { return membership(list.field, x.as(tStrings).strings(v)) }, true
	case b.Operator == "in" && left && !list.varies && x.field != "":
		return func(v Vars) Node { return membership(x.field, list.strings(v)) }, true
	}
	return nil, false
}
