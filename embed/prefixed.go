package embed

import (
	"context"
	"strings"
)

// Prefixed puts a text before every text, as models want that were taught with
// one: "query: ", "passage: ". Model keeps the inner's ID: whoever prefixes items
// names the prefix in it, and queries share the items' ID.
type Prefixed struct {
	Embedder
	Prefix string
}

// Embed implements Embedder. Pictures and empty texts pass as they are.
func (p Prefixed) Embed(ctx context.Context, inputs ...Input) ([][]float32, error) {
	with := make([]Input, len(inputs))
	for i, in := range inputs {
		if with[i] = in; strings.TrimSpace(in.Text) != "" {
			with[i].Text = p.Prefix + in.Text
		}
	}
	return p.Embedder.Embed(ctx, with...)
}
