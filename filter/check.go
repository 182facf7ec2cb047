package filter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"upnext"
)

// checker goes down the tree once, checking types and compiling at once.
type checker struct {
	attributes upnext.Schema
	uses       map[string]bool
	depth      int
	inside     bool // of the predicate of any, all or none, where # has a meaning
}

func columnOf(n ast.Node) int { return n.Location().From + 1 }

// value checks any expression.
func (c *checker) value(n ast.Node) (value, error) {
	if c.depth++; c.depth > MaxDepth {
		return value{}, failAt(columnOf(n), "nested more than %d deep", MaxDepth)
	}
	defer func() { c.depth-- }()
	column := columnOf(n)
	switch n := n.(type) {
	case *ast.NilNode:
		return value{typ: tNil, column: column}, nil
	case *ast.BoolNode:
		return condition(value{column: column}, always(n.Value)), nil
	case *ast.IntegerNode:
		return value{typ: tNumber, column: column, num: always(float64(n.Value))}, nil
	case *ast.FloatNode:
		return value{typ: tNumber, column: column, num: always(n.Value)}, nil
	case *ast.StringNode:
		return value{typ: tString, column: column, str: always(n.Value)}, nil
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.IdentifierNode:
		return c.name(n.Value, column)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.PointerNode:
		if !c.inside || n.Name != "" {
			return value{}, failAt(column, "#%s has no meaning here", n.Name)
		}
		return value{typ: tString, column: column, varies: true, str: func(_ upnext.Fields, _ Vars, cur string) (string, bool) {
			return cur, true
		}}, nil
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.BuiltinNode:
		return c.call(n.Name, n.Arguments, column)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(callee.Value, n.Arguments, column)
		}
		return value{}, failAt(column, "methods are not part of filters")
	}
	return value{}, failAt(column, "%s is not part of filters", called(n))
}

// called names the constructs that expr has and filters have not.
func called(n ast.Node) string {
	switch n.(type) {
	case *ast.ConditionalNode:
		return "a choice (?: or if)"
	case *ast.VariableDeclaratorNode:
		return "let"
	case *ast.SequenceNode:
		return ";"
	case *ast.MapNode:
		return "a map"
	case *ast.SliceNode:
		return "a slice"
	case *ast.ChainNode:
		return "?."
	case *ast.PredicateNode:
		return "a predicate here"
	}
	return "this"
}

func always[T any](x T) get[T] {
	return func(upnext.Fields, Vars, string) (T, bool) { return x, true }
}

// flag checks an expression that must be a condition.
func (c *checker) flag(n ast.Node) (value, error) {
	x, err := c.value(n)
	if err != nil {
		return value{}, err
	}
	if x = x.as(tBool); x.typ != tBool {
		return value{}, failAt(x.column, "%s is not a condition%s", x.describe(), hintCondition(x))
	}
	return x, nil
}

func hintCondition(x value) string {
	switch {
	case x.field != "" && x.typ == tStrings:
		return fmt.Sprintf("; write 'x' in %s or len(%s) > 0", x.field, x.field)
	case x.field != "":
		return fmt.Sprintf("; compare it, as in %s != nil", x.field)
	}
	return ""
}

// describe names a value and its type in an error.
func (x value) describe() string {
	switch {
	case x.field != "":
		return fmt.Sprintf("%s (%s)", x.field, x.typ)
	case x.age:
		return "age_hours (number)"
	}
	return fmt.Sprintf("a %s", x.typ)
}

// name resolves a bare name.
func (c *checker) name(name string, column int) (value, error) {
	if t, ok := upnext.ItemFields[name]; ok {
		return c.field(name, t, column), nil
	}
	switch name {
	case "age_hours":
		c.uses["published_at"] = true
		return value{typ: tNumber, column: column, age: true, varies: true, num: ageHours}, nil
	case "user", "context", "attributes":
		return value{}, failAt(column, "%s alone is not a value: write %s.NAME", name, name)
	}
	return c.attribute(name, name, column)
}

// ageHours is the time since published_at; negative before it.
func ageHours(f upnext.Fields, v Vars, _ string) (float64, bool) {
	at, ok := f["published_at"].(time.Time)
	return v.Now.Sub(at).Hours(), ok
}

// attribute resolves an attribute by name; written is how the source says it.
func (c *checker) attribute(name, written string, column int) (value, error) {
	i := slices.IndexFunc(c.attributes, func(a upnext.Attribute) bool { return a.Name == name })
	if i < 0 {
		return value{}, failAt(column, "no field %s%s", written, c.suggest(written))
	}
	if !c.attributes[i].Filterable {
		return value{}, failAt(column, "attribute %s is not filterable", name)
	}
	switch t := c.attributes[i].Type; t {
	case upnext.String, upnext.Number, upnext.Bool, upnext.Time, upnext.Strings:
		return c.field("attributes."+name, t, column), nil
	default:
		return value{}, failAt(column, "attribute %s has the unknown type %q", name, t)
	}
}

func (c *checker) suggest(name string) string {
	names := []string{"age_hours"}
	for field := range upnext.ItemFields {
		names = append(names, field)
	}
	for _, a := range c.attributes {
		if a.Filterable {
			names = append(names, "attributes."+a.Name)
		}
	}
	if alike := near(name, names); len(alike) > 0 {
		return "; did you mean " + strings.Join(alike, " or ") + "?"
	}
	return ""
}

// field reads one of the item's fields.
func (c *checker) field(name string, t upnext.AttributeType, column int) value {
	c.uses[name] = true
	x := value{typ: typ(t), column: column, field: name, varies: true}
	switch t {
	case upnext.String:
		x.str = read[string](name)
	case upnext.Number:
		x.num = read[float64](name)
	case upnext.Bool:
		return condition(x, read[bool](name))
	case upnext.Time:
		x.when = read[time.Time](name)
	case upnext.Strings:
		// An empty list is null, as an index's columns cannot tell them apart.
		x.list = func(f upnext.Fields, _ Vars, _ string) ([]string, bool) {
			l, _ := f[name].([]string)
			return l, len(l) > 0
		}
	}
	return x
}

func read[T any](name string) get[T] {
	return func(f upnext.Fields, _ Vars, _ string) (T, bool) {
		x, ok := f[name].(T)
		return x, ok
	}
}

// member resolves attributes.NAME, user.NAME and context.NAME.
func (c *checker) member(n *ast.MemberNode) (value, error) {
	column := columnOf(n)
	of, isName := n.Node.(*ast.IdentifierNode)
	property, isText := n.Property.(*ast.StringNode)
	if !isName || !isText {
		return value{}, failAt(column, "only attributes.NAME, user.NAME and context.NAME have members")
	}
	name := property.Value
	column = columnOf(of)
	switch of.Value {
	case "attributes":
		return c.attribute(name, "attributes."+name, column)
	case "user":
		return value{typ: tAny, column: column, dyn: func(_ upnext.Fields, v Vars, _ string) (any, bool) {
			x := v.User[name]
			return x, x != nil
		}}, nil
	case "context":
		return value{typ: tAny, column: column, dyn: func(_ upnext.Fields, v Vars, _ string) (any, bool) {
			x := v.Context[name]
			return x, x != nil
		}}, nil
	}
	return value{}, failAt(column, "%s has no members: only attributes, user and context have", of.Value)
}
