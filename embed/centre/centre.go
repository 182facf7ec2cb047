// Package centre takes a mean per language out of text vectors. Models such as
// multilingual-e5 put texts of one language near each other whatever they are
// about, so that a Chinese viewer never meets an English video; what is left
// without the language's mean is what the text is about.
package centre

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"strings"

	"upnext"
	"upnext/embed"
)

// version names the sample and the way the means are made of it; it ends the
// model's ID, since other means are another space.
const version = "centred-1"

//go:embed sample.tsv
var sampleFile string

// Embedder is a text encoder less the mean of the text's language.
type Embedder struct {
	inner    embed.Embedder
	language func(string) string
	means    Means
}

// Means are the mean vectors by language; under "" the mean of those, for a text
// in another language or none that can be told.
type Means map[string][]float32

var _ embed.Embedder = (*Embedder)(nil)

// Open embeds the bundled sample, titles and descriptions of the demo catalogue,
// and makes the means of it; or takes them from the file keep, which it writes
// where it is not there yet: with the same file the vectors are the same for ever.
// An empty keep keeps nothing. language tells a text's language, or "".
func Open(ctx context.Context, inner embed.Embedder, language func(string) string, keep string) (*Embedder, error) {
	e := &Embedder{inner: inner, language: language}
	var err error
	if e.means, err = load(keep, inner.Model()); err != nil {
		return nil, err
	}
	if e.means == nil {
		if e.means, err = measure(ctx, inner); err != nil {
			return nil, fmt.Errorf("means per language: %w", err)
		}
		if err = save(keep, inner.Model(), e.means); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// measure embeds the sample.
func measure(ctx context.Context, inner embed.Embedder) (Means, error) {
	var inputs []embed.Input
	var languages []string
	for n, line := range strings.Split(strings.TrimSpace(sampleFile), "\n") {
		language, text, ok := strings.Cut(line, "\t")
		if !ok {
			return nil, fmt.Errorf("sample.tsv:%d: want language and text between a tab: %w", n+1, upnext.ErrInvalid)
		}
		inputs, languages = append(inputs, embed.Input{Text: text}), append(languages, language)
	}
	vectors, err := inner.Embed(ctx, inputs...)
	if err != nil {
		return nil, err
	}
	means, counts := Means{}, map[string]float32{}
	for i, v := range vectors {
		if means[languages[i]] == nil {
			means[languages[i]] = make([]float32, len(v))
		}
		for d, x := range v {
			means[languages[i]][d] += x
		}
		counts[languages[i]]++
	}
	whole := make([]float32, inner.Model().Dim)
	for language, mean := range means {
		for d := range mean {
			mean[d] /= counts[language]
		}
	}
	for d := range whole {
		whole[d] = (means["en"][d] + means["zh"][d]) / 2 // in an order, unlike a map's
	}
	means[""] = whole
	return means, nil
}

// Model implements embed.Embedder.
func (e *Embedder) Model() embed.Model {
	m := e.inner.Model()
	return embed.Model{ID: m.ID + "-" + version, Dim: m.Dim}
}

// Embed implements embed.Embedder.
func (e *Embedder) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	vectors, err := e.inner.Embed(ctx, inputs...)
	if vectors == nil {
		return nil, err
	}
	out := make([][]float32, len(vectors))
	for i, v := range vectors {
		if v == nil {
			continue
		}
		mean := e.means[e.language(inputs[i].Text)]
		if mean == nil {
			mean = e.means[""]
		}
		out[i] = less(v, mean)
	}
	return out, err
}

// less is v without mean, at length 1. A text that is the mean itself says
// nothing, and keeps its vector.
func less(v, mean []float32) []float32 {
	out := make([]float32, len(v))
	var square float64
	for d := range v {
		out[d] = v[d] - mean[d]
		square += float64(out[d]) * float64(out[d])
	}
	if square < 1e-12 {
		return v
	}
	inverse := 1 / math.Sqrt(square)
	for d := range out {
		out[d] = float32(float64(out[d]) * inverse)
	}
	return out
}
