package filter

import (
	"slices"
	"time"

	"upnext"
)

// and, or and not build trees without needless Consts.

func and(nodes []Node) Node {
	var rest And
	for _, n := range nodes {
		switch n := n.(type) {
		case Const:
			if !n {
				return n
			}
		case And:
			rest = append(rest, n...)
		default:
			rest = append(rest, n)
		}
	}
	switch len(rest) {
	case 0:
		return Const(true)
	case 1:
		return rest[0]
	}
	return rest
}

func or(nodes []Node) Node {
	var rest Or
	for _, n := range nodes {
		switch n := n.(type) {
		case Const:
			if n {
				return n
			}
		case Or:
			rest = append(rest, n...)
		default:
			rest = append(rest, n)
		}
	}
	switch len(rest) {
	case 0:
		return Const(false)
	case 1:
		return rest[0]
	}
	return rest
}

func not(n Node) Node {
	switch n := n.(type) {
	case Const:
		return !n
	case Not:
		return n.Of
	case Opaque:
		return n // what is not known is as little known the other way round
	}
	return Not{n}
}

// Relax returns a tree without Opaque and without leaves that can refuses:
// true wherever n may be true, under any number of Nots. A leaf is a Compare,
// an In or a Null; can is not asked about a Const. A nil can refuses nothing.
func Relax(n Node, can func(leaf Node) bool) Node { return relax(n, can, true) }

// relax replaces what cannot be said by allow: under an even number of Nots by
// true, under an odd one by false, so that the whole only ever gets wider.
func relax(n Node, can func(leaf Node) bool, allow bool) Node {
	switch n := n.(type) {
	case And:
		return and(relaxAll(n, can, allow))
	case Or:
		return or(relaxAll(n, can, allow))
	case Not:
		return not(relax(n.Of, can, !allow))
	case Const:
		return n
	case Compare, In, Null:
		if can == nil || can(n) {
			return n
		}
	}
	return Const(allow)
}

func relaxAll(nodes []Node, can func(leaf Node) bool, allow bool) []Node {
	relaxed := make([]Node, len(nodes))
	for i, n := range nodes {
		relaxed[i] = relax(n, can, allow)
	}
	return relaxed
}

// Eval says whether an item passes a tree: what an engine that pushes the tree
// down must agree with. It goes by the tree as it stands, with Opaque as true,
// also under a Not: give it a tree that Relax returned, which has none.
func Eval(n Node, fields upnext.Fields) bool {
	switch n := n.(type) {
	case And:
		for _, m := range n {
			if !Eval(m, fields) {
				return false
			}
		}
		return true
	case Or:
		for _, m := range n {
			if Eval(m, fields) {
				return true
			}
		}
		return false
	case Not:
		return !Eval(n.Of, fields)
	case Compare:
		return holds(fields[n.Field], n.Op, n.Value)
	case In:
		return slices.ContainsFunc(n.Values, func(v any) bool { return holds(fields[n.Field], Eq, v) })
	case Null:
		list, isList := fields[n.Field].([]string)
		return fields[n.Field] == nil || isList && len(list) == 0
	case Const:
		return bool(n)
	}
	return true
}

// holds is one comparison of a field's value; on a list, of any element.
func holds(field any, op Op, value any) bool {
	if list, ok := field.([]string); ok {
		s, ok := value.(string)
		return ok && op == Eq && slices.Contains(list, s)
	}
	if at, ok := field.(time.Time); ok {
		v, ok := value.(time.Time)
		return ok && times(op)(at, v)
	}
	return compareAny(field, value, op)
}
