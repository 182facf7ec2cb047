package filter

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func same(a, b Node) bool { return reflect.DeepEqual(a, b) }

// anyItem draws an item in which every field may be null.
func anyItem(t *rapid.T) upnext.Fields {
	f := upnext.Fields{}
	word := rapid.SampledFrom([]string{"a", "b", "video", ""})
	for _, name := range []string{"kind", "creator_id", "attributes.mood"} {
		if rapid.Bool().Draw(t, "has "+name) {
			f[name] = word.Draw(t, name)
		}
	}
	for _, name := range []string{"duration_ms", "min_age"} {
		if rapid.Bool().Draw(t, "has "+name) {
			f[name] = float64(rapid.IntRange(0, 3).Draw(t, name))
		}
	}
	for _, name := range []string{"published_at", "attributes.filmed"} {
		if rapid.Bool().Draw(t, "has "+name) {
			f[name] = noon.Add(-time.Duration(rapid.IntRange(-2, 3).Draw(t, name)) * time.Hour)
		}
	}
	for _, name := range []string{"topics", "tags"} {
		if rapid.Bool().Draw(t, "has "+name) {
			f[name] = rapid.SliceOfN(word, 0, 3).Draw(t, name)
		}
	}
	if rapid.Bool().Draw(t, "has free") {
		f["attributes.free"] = rapid.Bool().Draw(t, "free")
	}
	return f
}

func anyVars(t *rapid.T) Vars {
	values := rapid.MapOf(rapid.SampledFrom([]string{"x", "y"}), rapid.SampledFrom([]any{
		"a", "video", 1.0, true, noon, []string{"a", "b"}, []string{}, 3, // 3 is of no type that Vars has
	}))
	return Vars{Now: noon, User: values.Draw(t, "user"), Context: values.Draw(t, "context")}
}

// anyExpression draws a well-typed condition. whole says that the tree can
// express all of it.
func anyExpression(t *rapid.T, depth int) (src string, whole bool) {
	pick := func(from ...string) string { return rapid.SampledFrom(from).Draw(t, "part") }
	text := func() string { return pick("'a'", "'b'", "'video'", "''", "user.x", "context.y") }
	number := func() string { return pick("0", "1", "2.5", "user.x", "1 + 1", "user.y * 2") }
	order := func() string { return pick("==", "!=", "<", "<=", ">", ">=") }
	if depth > 0 && rapid.IntRange(0, 2).Draw(t, "inner") > 0 {
		a, wholeA := anyExpression(t, depth-1)
		switch pick("not", "and", "or") {
		case "not":
			return "not (" + a + ")", wholeA
		case "and":
			b, wholeB := anyExpression(t, depth-1)
			return "(" + a + ") and (" + b + ")", wholeA && wholeB
		default:
			b, wholeB := anyExpression(t, depth-1)
			return "(" + a + ") or (" + b + ")", wholeA && wholeB
		}
	}
	switch rapid.IntRange(0, 15).Draw(t, "leaf") {
	case 0:
		return fmt.Sprintf("kind %s %s", order(), text()), true
	case 1:
		return fmt.Sprintf("%s %s creator_id", text(), order()), true
	case 2:
		return fmt.Sprintf("duration_ms %s %s", order(), number()), true
	case 3:
		return fmt.Sprintf("%s %sin %s", text(), pick("", "not "), pick("topics", "tags")), true
	case 4:
		return fmt.Sprintf("mood %sin [%s, %s]", pick("", "not "), text(), text()), true
	case 5:
		return fmt.Sprintf("%s %s nil", pick("kind", "topics", "published_at", "free", "user.x", "age_hours"), pick("==", "!=")), true
	case 6:
		return pick("free", "free == false", "user.x", "true", "free in [true, user.y]"), true
	case 7:
		return fmt.Sprintf("published_at %s now() - duration('%s')", order(), pick("0s", "1h", "2h")), true
	case 8:
		return fmt.Sprintf("age_hours %s %s", order(), number()), true
	case 9:
		return fmt.Sprintf("%s(topics, # %s)", pick("any", "none"), pick("== 'a'", "in ['a', user.x]", "in user.y")), true
	case 10:
		return fmt.Sprintf("any(%s, # in tags)", pick("['a', 'b']", "user.x")), true
	case 11:
		return fmt.Sprintf("kind in %s", pick("user.x", "context.x")), true
	case 12:
		return fmt.Sprintf("len(%s) %s %s", pick("topics", "kind"), order(), number()), false
	case 13:
		return fmt.Sprintf("kind %s 'a'", pick("contains", "startsWith", "endsWith")), false
	case 14:
		return fmt.Sprintf("all(topics, # %s %s)", order(), text()), false
	}
	return fmt.Sprintf("duration_ms %s min_age / %s", order(), number()), false
}

// TestPushDown is the promise that the index rests on: where the tree is whole
// it is the predicate, and however little of it an engine can do, what passes
// the predicate passes the engine.
func TestPushDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src, whole := anyExpression(t, 4)
		f, err := Parse(src, schema)
		if err != nil {
			t.Fatalf("Parse(%q): %v", src, err)
		}
		fields, vars := anyItem(t), anyVars(t)
		passes, tree := f.Match(fields, vars), f.Bind(vars)
		if whole && Eval(tree, fields) != passes {
			t.Fatalf("%q on %v, %v: Match is %v, the tree is not: %#v", src, fields, vars, passes, tree)
		}
		relaxed := Relax(tree, func(Node) bool { return rapid.Bool().Draw(t, "can") })
		if passes && !Eval(relaxed, fields) {
			t.Fatalf("%q on %v, %v: passes Match, not what was pushed down: %#v", src, fields, vars, relaxed)
		}
		if strings.Contains(fmt.Sprintf("%#v", relaxed), "Opaque") {
			t.Fatalf("%q: Opaque is left in %#v", src, relaxed)
		}
	})
}

// TestRelaxWidens checks Relax alone on trees that no expression makes.
func TestRelaxWidens(t *testing.T) {
	var tree func(t *rapid.T, depth int) Node
	tree = func(t *rapid.T, depth int) Node {
		switch rapid.IntRange(0, 6).Draw(t, "node") {
		case 0:
			return Const(rapid.Bool().Draw(t, "const"))
		case 1:
			return Null{"kind"}
		case 2:
			return Compare{"kind", Eq, "a"}
		case 3:
			return In{"topics", []any{"a", "b"}}
		}
		if depth == 0 {
			return Compare{"duration_ms", Ge, 2.0}
		}
		if rapid.Bool().Draw(t, "not") {
			return Not{tree(t, depth-1)}
		}
		parts := rapid.Custom(func(t *rapid.T) Node { return tree(t, depth-1) })
		all := rapid.SliceOfN(parts, 0, 3).Draw(t, "parts")
		if rapid.Bool().Draw(t, "and") {
			return And(all)
		}
		return Or(all)
	}
	rapid.Check(t, func(t *rapid.T) {
		n, fields := tree(t, 4), anyItem(t)
		if got, want := Eval(Relax(n, nil), fields), Eval(n, fields); got != want {
			t.Fatalf("%#v on %v: relaxing nothing gives %v, want %v", n, fields, got, want)
		}
		some := Relax(n, func(leaf Node) bool { return rapid.Bool().Draw(t, "can") })
		if Eval(n, fields) && !Eval(some, fields) {
			t.Fatalf("%#v on %v: relaxed to the narrower %#v", n, fields, some)
		}
	})
}

func TestRelaxUnderNot(t *testing.T) {
	leaf := Compare{"kind", Eq, "a"}
	no := func(Node) bool { return false }
	for _, test := range []struct{ tree, want Node }{
		{leaf, Const(true)},
		{Not{leaf}, Const(true)},
		{Not{Not{leaf}}, Const(true)},
		{Opaque{}, Const(true)},
		{Not{Opaque{}}, Const(true)},
		{Not{And{leaf, Const(true)}}, Const(true)},
		{And{leaf, Const(false)}, Const(false)},
	} {
		if got := Relax(test.tree, no); !same(got, test.want) {
			t.Errorf("Relax(%#v): got %#v, want %#v", test.tree, got, test.want)
		}
	}
}

// FuzzParse feeds rubbish: nothing panics, every refusal has a column within
// the source, and what parses can be asked about any item.
func FuzzParse(f *testing.F) {
	for _, src := range []string{
		"kind in ['video','live'] and duration_ms < 900000 and not ('horror' in topics)",
		"any(topics, # in user.likes) or age_hours < 3", "a?.b[1:2] ?? {x: 1} | len()", "any(", "((((", "'\\x", "let a = 1; a", "1..5",
		"if true { 1 } else { 2 }", "reduce(tags, #acc + #)", "b'abc' == x", "/* */ # //", "::now()", "kind not", "not in", "$env", "#", ".x",
	} {
		f.Add(src)
	}
	odd := upnext.Fields{"kind": 5, "topics": "x", "published_at": nil, "duration_ms": []string{"a"}, "tags": []string(nil)}
	for name := range upnext.ItemFields {
		if _, ok := odd[name]; !ok {
			odd[name] = struct{}{}
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		parsed, err := Parse(src, schema)
		if err != nil {
			at := (*Error)(nil)
			if !errors.As(err, &at) || at.Column < 1 || at.Column > len(src)+1 || at.Detail == "" || strings.Contains(at.Detail, "cannot be read") {
				t.Fatalf("Parse(%q): got %#v", src, err)
			}
			return
		}
		for _, fields := range []upnext.Fields{nil, item, odd} {
			passes := parsed.Match(fields, vars)
			if fields["kind"] != 5 && passes && !Eval(Relax(parsed.Bind(vars), nil), fields) {
				t.Fatalf("%q: Match passes what the tree refuses", src)
			}
		}
	})
}
