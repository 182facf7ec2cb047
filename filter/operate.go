package filter

import (
	"math"
	"time"

	"github.com/expr-lang/expr/ast"

	"upnext"
)

// unary checks not, ! and the signs.
func (c *checker) unary(n *ast.UnaryNode) (value, error) {
	column := columnOf(n)
	switch n.Operator {
	case "not", "!":
		x, err := c.flag(n.Node)
		if err != nil {
			return value{}, err
		}
		return negation(x, column), nil
	case "-", "+":
		x, err := c.value(n.Node)
		if err != nil {
			return value{}, err
		}
		if x = x.as(tNumber); x.typ != tNumber {
			return value{}, failAt(column, "%s before %s: a number is needed", n.Operator, x.describe())
		}
		if n.Operator == "-" {
			g := x.num
			x = value{typ: tNumber, column: column, varies: x.varies, num: func(f upnext.Fields, v Vars, cur string) (float64, bool) {
				a, ok := g(f, v, cur)
				return -a, ok
			}}
		}
		return x, nil
	}
	return value{}, failAt(column, "operator %s is not part of filters", n.Operator)
}

func negation(x value, column int) value {
	is, bind := x.test, x.bind
	return decision(column, x.varies,
		func(f upnext.Fields, v Vars, cur string) bool { return !is(f, v, cur) },
		func(v Vars) Node { return not(bind(v)) })
}

// binary checks all operators with two sides.
func (c *checker) binary(n *ast.BinaryNode) (value, error) {
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.chain(n)
	}
	a, err := c.value(n.Left)
	if err != nil {
		return value{}, err
	}
	b, err := c.value(n.Right)
	if err != nil {
		return value{}, err
	}
	column := columnOf(n)
	switch n.Operator {
	case "==", "!=", "<", "<=", ">", ">=":
		return compare(a, b, n.Operator, column)
	case "in":
		return in(a, b, column)
	case "contains", "startsWith", "endsWith":
		return inText(a, b, n.Operator, column)
	case "+", "-", "*", "/", "%":
		return arithmetic(a, b, n.Operator, column)
	}
	return value{}, failAt(column, "operator %s is not part of filters", n.Operator)
}

// chain checks a whole chain of and or of or at once, so that its length does
// not count as depth.
func (c *checker) chain(n *ast.BinaryNode) (value, error) {
	all := n.Operator == "and" || n.Operator == "&&"
	var parts []value
	varies := false
	var collect func(ast.Node) error
	collect = func(m ast.Node) error {
		if b, ok := m.(*ast.BinaryNode); ok && (b.Operator == "and" || b.Operator == "&&" || b.Operator == "or" || b.Operator == "||") &&
			all == (b.Operator == "and" || b.Operator == "&&") {
			if err := collect(b.Left); err != nil {
				return err
			}
			return collect(b.Right)
		}
		x, err := c.flag(m)
		parts, varies = append(parts, x), varies || x.varies
		return err
	}
	if err := collect(n); err != nil {
		return value{}, err
	}
	tests, binds := make([]test, len(parts)), make([]func(Vars) Node, len(parts))
	for i, x := range parts {
		tests[i], binds[i] = x.test, x.bind
	}
	is := func(f upnext.Fields, v Vars, cur string) bool {
		for _, t := range tests {
			if t(f, v, cur) != all {
				return !all
			}
		}
		return all
	}
	return decision(columnOf(n), varies, is, func(v Vars) Node {
		nodes := make([]Node, len(binds))
		for i, bind := range binds {
			nodes[i] = bind(v)
		}
		if all {
			return and(nodes)
		}
		return or(nodes)
	}), nil
}

// arithmetic checks sums of numbers, and of times and durations.
func arithmetic(a, b value, op string, column int) (value, error) {
	// A variable takes the type of the other side; two variables are numbers,
	// and a variable beside a time is a time (no variable holds a duration).
	switch {
	case a.typ == tAny && b.typ == tAny:
		a, b = a.as(tNumber), b.as(tNumber)
	case a.typ == tAny && b.typ == tDuration:
		a = a.as(tTime)
	default:
		a, b = a.as(b.typ), b.as(a.typ)
	}
	x := value{column: column, varies: a.varies || b.varies}
	switch {
	case a.typ == tNumber && b.typ == tNumber:
		x.typ, x.num = tNumber, combine(a.num, b.num, numbers(op))
	case a.typ == tTime && b.typ == tTime && op == "-":
		x.typ, x.span = tDuration, combine(a.when, b.when, func(p, q time.Time) (time.Duration, bool) { return p.Sub(q), true })
	case a.typ == tTime && b.typ == tDuration && op == "-":
		x.typ, x.when = tTime, combine(a.when, b.span, func(p time.Time, q time.Duration) (time.Time, bool) { return p.Add(-q), true })
	case a.typ == tTime && b.typ == tDuration && op == "+":
		x.typ, x.when = tTime, combine(a.when, b.span, func(p time.Time, q time.Duration) (time.Time, bool) { return p.Add(q), true })
	case a.typ == tDuration && b.typ == tTime && op == "+":
		x.typ, x.when = tTime, combine(a.span, b.when, func(p time.Duration, q time.Time) (time.Time, bool) { return q.Add(p), true })
	default:
		return value{}, failAt(column, "%s %s %s has no meaning", a.describe(), op, b.describe())
	}
	return x, nil
}

func combine[A, B, T any](a get[A], b get[B], do func(A, B) (T, bool)) get[T] {
	return func(f upnext.Fields, v Vars, cur string) (result T, ok bool) {
		x, ok := a(f, v, cur)
		if !ok {
			return result, false
		}
		y, ok := b(f, v, cur)
		if !ok {
			return result, false
		}
		return do(x, y)
	}
}

// numbers is arithmetic on numbers; what divides by zero is null.
func numbers(op string) func(a, b float64) (float64, bool) {
	switch op {
	case "+":
		return func(a, b float64) (float64, bool) { return a + b, true }
	case "-":
		return func(a, b float64) (float64, bool) { return a - b, true }
	case "*":
		return func(a, b float64) (float64, bool) { return a * b, true }
	case "/":
		return func(a, b float64) (float64, bool) { return a / b, b != 0 }
	}
	return func(a, b float64) (float64, bool) { return math.Mod(a, b), b != 0 }
}
