package milvus

import (
	"math"
	"strconv"
	"strings"
	"time"

	"upnext"
	"upnext/filter"
)

// longestExpression is the longest filter that is sent; a longer one is left
// to the caller's check.
const longestExpression = 256 << 10

// mostChoices is how many values of a list are compared one by one where the
// server knows no list.
const mostChoices = 256

// ofTenant is the expression for a tenant's rows.
func (s server) ofTenant(t upnext.Tenant) string {
	if s.strays {
		return "not (" + columnTenant + " != " + quoted(string(t)) + ")"
	}
	return columnTenant + " == " + quoted(string(t))
}

// expression is what a filter's tree says, for a tenant's rows; none is true
// where no item can pass.
func (s server) expression(t upnext.Tenant, tree filter.Node, fields map[string]upnext.AttributeType) (text string, none bool) {
	p := printer{server: s, fields: fields}
	tree = filter.Relax(tree, p.can)
	if always, is := tree.(filter.Const); is {
		return s.ofTenant(t), !bool(always)
	}
	p.print(tree)
	if p.Len() > longestExpression {
		return s.ofTenant(t), false
	}
	return s.ofTenant(t) + " and (" + columnPartial + " == true or (" + p.String() + "))", false
}

// printer writes trees in Milvus' language.
type printer struct {
	server server
	fields map[string]upnext.AttributeType
	strings.Builder
}

// can says which leaves can be written: what filter.Relax asks.
func (p *printer) can(leaf filter.Node) bool {
	switch leaf := leaf.(type) {
	case filter.Compare:
		return p.canCompare(leaf.Field, leaf.Op, leaf.Value)
	case filter.In:
		if _, column := upnext.ItemFields[leaf.Field]; !column && p.server.lite && len(leaf.Values) > mostChoices {
			return false
		}
		for _, v := range leaf.Values {
			if !p.canCompare(leaf.Field, filter.Eq, v) {
				return false
			}
		}
		return true
	case filter.Null:
		_, is := p.typeOf(leaf.Field)
		return is && pathable(leaf.Field) && upnext.ItemFields[leaf.Field] != upnext.Bool
	}
	return false
}

// typeOf is a field's type, where it is among those that are pushed down. A
// column's type is the column's, whatever the Spec says.
func (p *printer) typeOf(field string) (upnext.AttributeType, bool) {
	t, is := p.fields[field]
	if own, column := upnext.ItemFields[field]; column && own != t {
		return "", false
	}
	return t, is
}

func (p *printer) canCompare(field string, op filter.Op, v any) bool {
	t, is := p.typeOf(field)
	if !is || !pathable(field) {
		return false
	}
	switch v := v.(type) {
	case string:
		return v != "" && len(v) <= longestText && storable(v) && (t == upnext.String || t == upnext.Strings && op == filter.Eq)
	case float64:
		return t == upnext.Number && math.Abs(v) < mostNumber
	case bool:
		return t == upnext.Bool && op == filter.Eq
	case time.Time:
		return t == upnext.Time && v.After(time.Unix(0, leastTime)) && v.Before(time.Unix(0, mostTime))
	}
	return false
}

// print writes a tree that Relax returned. Every condition has two values
// also where a server's has three, so that a Not may stand before it.
func (p *printer) print(n filter.Node) {
	switch n := n.(type) {
	case filter.And:
		p.join(n, " and ", "true")
	case filter.Or:
		p.join(n, " or ", "false")
	case filter.Not:
		p.WriteString("not (")
		p.print(n.Of)
		p.WriteString(")")
	case filter.Compare:
		p.compare(n)
	case filter.In:
		p.in(n)
	case filter.Null:
		p.null(n.Field)
	case filter.Const: // Relax leaves none inside; were there one, it is true or false of every key
		p.constant(bool(n))
	}
}

func (p *printer) constant(always bool) {
	if always {
		p.WriteString(columnPrimary + ` != ""`)
	} else {
		p.WriteString(columnPrimary + ` == ""`)
	}
}

func (p *printer) join(nodes []filter.Node, with, empty string) {
	if len(nodes) == 0 {
		p.constant(empty == "true")
		return
	}
	for i, n := range nodes {
		if i > 0 {
			p.WriteString(with)
		}
		p.WriteString("(")
		p.print(n)
		p.WriteString(")")
	}
}

func (p *printer) compare(n filter.Compare) {
	t, _ := p.typeOf(n.Field)
	below := n.Op == filter.Lt || n.Op == filter.Le // null is below everything
	_, column := upnext.ItemFields[n.Field]
	value := literal(n.Value)
	switch {
	case column && t == upnext.Strings:
		p.WriteString("array_contains(" + n.Field + ", " + value + ")")
	case column:
		if below {
			p.WriteString("(")
			p.present(n.Field, t)
			p.WriteString(") and ")
		}
		p.WriteString(n.Field + " " + string(n.Op) + " " + value)
	default:
		path := pathOf(n.Field, t)
		p.WriteString("(exists " + path + ") and ")
		if t == upnext.Strings {
			p.WriteString("json_contains(" + path + ", " + value + ")")
		} else {
			p.WriteString("(" + path + " " + string(n.Op) + " " + value + ")")
		}
	}
}

// present writes that a column is not null.
func (p *printer) present(column string, t upnext.AttributeType) {
	switch t {
	case upnext.String:
		p.WriteString(column + ` != ""`)
	case upnext.Number:
		p.WriteString(column + " > -2e299")
	case upnext.Time:
		p.WriteString(column + " >= " + strconv.FormatInt(leastTime, 10))
	case upnext.Strings:
		p.WriteString("not (array_length(" + column + ") == 0)") // 2.3 knows of lengths == alone
	}
}

func (p *printer) null(field string) {
	p.WriteString("not (")
	if t, column := upnext.ItemFields[field]; column {
		p.present(field, t)
	} else {
		p.WriteString("array_contains(" + columnPresent + ", " + quoted(field) + ")")
	}
	p.WriteString(")")
}

func (p *printer) in(n filter.In) {
	t, _ := p.typeOf(n.Field)
	_, column := upnext.ItemFields[n.Field]
	if len(n.Values) == 0 {
		p.constant(false)
		return
	}
	if !column && t != upnext.Strings && p.server.lite || t == upnext.Bool {
		each := make([]filter.Node, len(n.Values))
		for i, v := range n.Values {
			each[i] = filter.Compare{Field: n.Field, Op: filter.Eq, Value: v}
		}
		p.join(each, " or ", "false")
		return
	}
	values := make([]string, len(n.Values))
	for i, v := range n.Values {
		values[i] = literal(v)
	}
	list := "[" + strings.Join(values, ", ") + "]"
	path := pathOf(n.Field, t)
	switch {
	case column && t == upnext.Strings:
		p.WriteString("array_contains_any(" + n.Field + ", " + list + ")")
	case column:
		p.WriteString(n.Field + " in " + list)
	case t == upnext.Strings:
		p.WriteString("(exists " + path + ") and json_contains_any(" + path + ", " + list + ")")
	default:
		p.WriteString("(exists " + path + ") and (" + path + " in " + list + ")")
	}
}

// pathOf is where a field without a column lies in the JSON.
func pathOf(field string, t upnext.AttributeType) string {
	initial := map[upnext.AttributeType]string{upnext.String: "s:", upnext.Strings: "l:", upnext.Number: "n:", upnext.Bool: "b:", upnext.Time: "t:"}[t]
	return columnMore + "[" + quoted(initial+field) + "]"
}

func literal(v any) string {
	switch v := v.(type) {
	case string:
		return quoted(v)
	case float64:
		text := strconv.FormatFloat(0+v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text
	case time.Time:
		return strconv.FormatInt(v.UnixNano(), 10)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// escapes are those that all servers know; other signs stand for themselves.
var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

func quoted(s string) string { return `"` + escapes.Replace(s) + `"` }
