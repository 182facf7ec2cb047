package filter

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"upnext"
)

// The limits of an expression.
const (
	MaxSource = 4096 // bytes
	MaxDepth  = 50   // operators within operators; and, or chains count once
	MaxList   = 1000 // elements of a list
)

// Parse checks an expression against the built-in fields and the filterable
// attributes, and compiles it. What is wrong comes back as an *Error.
func Parse(src string, attributes upnext.Schema) (*Filter, error) {
	switch {
	case len(src) > MaxSource:
		return nil, failAt(1, "%d bytes long, %d allowed", len(src), MaxSource)
	case !utf8.ValidString(src):
		return nil, failAt(1, "not UTF-8")
	case strings.TrimSpace(src) == "":
		return nil, failAt(1, "empty")
	}
	tree, err := syntax(src)
	if err != nil {
		return nil, err
	}
	c := &checker{attributes: attributes, uses: map[string]bool{}}
	x, err := c.flag(tree)
	if err != nil {
		return nil, err
	}
	return &Filter{src: src, uses: sortedNames(c.uses), test: x.test, bind: x.bind}, nil
}

// ParseBoost is Parse for a boost's condition: it may ask the boostable
// attributes, which need not be filterable.
func ParseBoost(src string, attributes upnext.Schema) (*Filter, error) {
	boostable := make(upnext.Schema, len(attributes))
	for i, a := range attributes {
		a.Filterable = a.Filterable || a.Boostable
		boostable[i] = a
	}
	return Parse(src, boostable)
}

// syntax reads src with the parser of expr-lang/expr.
func syntax(src string) (tree ast.Node, err error) {
	// The parser is not ours and takes what strangers send; should it panic on
	// some rubbish, that rubbish is still only a wrong expression.
	defer func() {
		if r := recover(); r != nil {
			tree, err = nil, failAt(1, "cannot be read (%v)", r)
		}
	}()
	parsed, err := parser.Parse(src)
	if err == nil {
		return parsed.Node, nil
	}
	if at := (*file.Error)(nil); errors.As(err, &at) {
		return nil, failAt(min(at.From, utf8.RuneCountInString(src))+1, "%s", plain(at.Message))
	}
	return nil, failAt(1, "%s", plain(err.Error()))
}

// plain puts the parser's token dumps into words.
func plain(message string) string {
	rest, ok := strings.CutPrefix(message, "unexpected token ")
	if !ok {
		return message
	}
	if rest == "EOF" {
		return "the expression ends too early"
	}
	if kind, text, ok := strings.Cut(rest, "("); ok {
		return fmt.Sprintf("unexpected %s %s", strings.ToLower(kind), strings.TrimSuffix(text, ")"))
	}
	return message
}
