package serve

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// TestEveryReasonInTwoLanguages: each code that an answer may give has a sentence
// in English and one in Chinese, with as many places to fill; and no sentence is
// for a code that nothing gives.
func TestEveryReasonInTwoLanguages(t *testing.T) {
	given := map[string]bool{}
	file, err := parser.ParseFile(token.NewFileSet(), "explain.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	code := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, _ := strconv.Unquote(lit.Value)
			given[s] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr: // add("code", …)
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "add" {
				code(n.Args[0])
			}
		case *ast.FuncDecl: // took returns the code
			if n.Name.Name == "took" {
				ast.Inspect(n, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						code(r.Results[0])
					}
					return true
				})
			}
		}
		return true
	})
	if len(given) < 15 {
		t.Fatalf("%d codes found: %v", len(given), given)
	}
	for c := range given {
		p := phrases[c]
		if p[0] == "" || strings.ContainsFunc(p[0], func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s has no English: %q", c, p[0])
		}
		if !strings.ContainsFunc(p[1], func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s has no Chinese: %q", c, p[1])
		}
		if strings.Count(p[0], "%s") != strings.Count(p[1], "%s") {
			t.Errorf("%s: %q and %q fill different places", c, p[0], p[1])
		}
	}
	for c := range phrases {
		if !given[c] {
			t.Errorf("nothing gives the reason %s", c)
		}
	}
}
