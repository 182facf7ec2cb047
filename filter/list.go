package filter

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"upnext"
)

// array checks a list in brackets: constants of one type.
func (c *checker) array(n *ast.ArrayNode) (value, error) {
	list := value{typ: tList, column: columnOf(n)}
	if len(n.Nodes) == 0 {
		return value{}, failAt(list.column, "an empty list holds nothing")
	}
	if len(n.Nodes) > MaxList {
		return value{}, failAt(list.column, "%d elements, %d allowed", len(n.Nodes), MaxList)
	}
	of := tAny
	for _, e := range n.Nodes {
		x, err := c.value(e)
		if err != nil {
			return value{}, err
		}
		switch {
		case x.typ == tNil || x.typ == tList || x.typ == tStrings || x.typ == tDuration:
			return value{}, failAt(x.column, "%s cannot be an element of a list", x.describe())
		case x.varies:
			return value{}, failAt(x.column, "%s cannot be an element: a list holds constants, user.* and context.*", x.describe())
		case of == tAny:
			of = x.typ
		case x.typ != tAny && x.typ != of:
			return value{}, failAt(x.column, "%s in a list of %ss", x.describe(), of)
		}
		list.items = append(list.items, x)
	}
	return list, nil
}

// elementType is the type of a bracketed list's elements; any where all are
// variables.
func (x value) elementType() typ {
	for _, e := range x.items {
		if e.typ != tAny {
			return e.typ
		}
	}
	return tAny
}

// in checks x in LIST, where LIST is in brackets, a field of strings or a
// variable.
func in(x, list value, column int) (value, error) {
	if list.typ == tList {
		return inBrackets(x, list, column)
	}
	list, needle := list.as(tStrings), x.as(tString)
	if list.typ != tStrings {
		if list.typ == tString {
			return value{}, failAt(column, "%s is no list; write %s contains 'x'", list.describe(), orText(list.field))
		}
		return value{}, failAt(column, "%s is no list", list.describe())
	}
	if needle.typ != tString {
		return value{}, failAt(column, "%s in %s: the list holds strings", x.describe(), list.describe())
	}
	s, l := needle.str, list.list
	is := func(f upnext.Fields, v Vars, cur string) bool {
		x, ok := s(f, v, cur)
		if !ok {
			return false
		}
		all, ok := l(f, v, cur)
		return ok && slices.Contains(all, x)
	}
	var bind func(Vars) Node
	switch {
	case list.field != "" && !needle.varies:
		bind = pushable(value{field: list.field, varies: true}, needle, Eq)
	case needle.field != "" && !list.varies:
		bind = func(v Vars) Node { return membership(needle.field, list.strings(v)) }
	}
	return decision(column, needle.varies || list.varies, is, bind), nil
}

func orText(field string) string {
	if field == "" {
		return "TEXT"
	}
	return field
}

// inBrackets checks x in [a, b, …].
func inBrackets(x, list value, column int) (value, error) {
	of := list.elementType()
	if x = x.as(of); x.typ == tStrings && of == tString {
		return value{}, failAt(column, "%s in a list: a list is no element; write any(%s, # in [...])", x.describe(), orText(x.field))
	}
	tests := make([]test, len(list.items))
	for i, e := range list.items {
		is, err := comparison(x, e.as(x.typ), Eq, column)
		if err != nil {
			return value{}, failAt(column, "%s in a list of %ss", x.describe(), of)
		}
		tests[i] = is
	}
	is := func(f upnext.Fields, v Vars, cur string) bool {
		for _, t := range tests {
			if t(f, v, cur) {
				return true
			}
		}
		return false
	}
	if set, ok := list.literals(); ok && x.typ == tString {
		s := x.str
		is = func(f upnext.Fields, v Vars, cur string) bool {
			x, ok := s(f, v, cur)
			return ok && set.has(x)
		}
	}
	var bind func(Vars) Node
	if field, typ := x.field, x.typ; field != "" {
		bind = func(v Vars) Node {
			var values []any
			for _, e := range list.items {
				if c := e.as(typ).constant(v); c != nil {
					values = append(values, c)
				}
			}
			return membership(field, values)
		}
	}
	return decision(column, x.varies, is, bind), nil
}

// membership is In without its corner cases.
func membership(field string, values []any) Node {
	switch len(values) {
	case 0:
		return Const(false)
	case 1:
		return Compare{field, Eq, values[0]}
	}
	return In{field, values}
}

// strings returns a constant list's elements, boxed for a tree.
func (x value) strings(v Vars) []any {
	all, _ := x.list(nil, v, "")
	values := make([]any, len(all))
	for i, s := range all {
		values[i] = s
	}
	return values
}

// literals is the set of a list that holds string literals alone.
func (x value) literals() (set, bool) {
	var all []string
	for _, e := range x.items {
		if e.typ != tString {
			return set{}, false
		}
		s, _ := e.str(nil, Vars{}, "") // no variable can be a tString: they are tAny until narrowed
		all = append(all, s)
	}
	s := set{few: all}
	if len(all) > 8 { // below that, looking at each is faster than hashing
		s = set{many: make(map[string]struct{}, len(all))}
		for _, e := range all {
			s.many[e] = struct{}{}
		}
	}
	return s, true
}

type set struct {
	few  []string
	many map[string]struct{}
}

func (s set) has(x string) bool {
	if s.many != nil {
		_, ok := s.many[x]
		return ok
	}
	return slices.Contains(s.few, x)
}

// inText checks contains, startsWith and endsWith.
func inText(a, b value, op string, column int) (value, error) {
	if a.typ == tStrings {
		return value{}, failAt(column, "%s %s: write any(%s, # %s 'x'), or 'x' in %s", a.describe(), op, orText(a.field), op, orText(a.field))
	}
	if a, b = a.as(tString), b.as(tString); a.typ != tString || b.typ != tString {
		return value{}, failAt(column, "%s %s %s: both must be strings", a.describe(), op, b.describe())
	}
	holds := map[string]func(x, y string) bool{
		"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix,
	}[op]
	return decision(column, a.varies || b.varies, both(a.str, b.str, holds), nil), nil
}
