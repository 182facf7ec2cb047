package zeroshot

import (
	"context"
	"fmt"
	"math"

	"upnext"
	"upnext/embed"
)

// anchors are the vectors that items are compared with.
type anchors struct {
	background             []float32 // mean of the background texts
	topics, emotion, style []anchor
}

// anchor is one label in the encoder's space: unit vectors all.
type anchor struct {
	direction []float32   // in which the label departs from the other labels of its facet
	phrases   [][]float32 // for the evidence
}

// encode makes the anchors of all labels, in one batch.
func encode(ctx context.Context, text embed.Embedder, f facets, background []string) (*anchors, error) {
	var inputs []embed.Input
	for _, t := range background {
		inputs = append(inputs, embed.Input{Text: t})
	}
	for _, labels := range [][]label{f.topics, f.emotion, f.style} {
		for _, l := range labels {
			for _, p := range l.phrases {
				inputs = append(inputs, embed.Input{Text: p})
			}
		}
	}
	vectors, err := text.Embed(ctx, inputs...)
	if err != nil {
		return nil, fmt.Errorf("encode the labels: %w", err)
	}
	dim := text.Model().Dim
	a := &anchors{background: mean(vectors[:len(background)], dim)}
	rest := vectors[len(background):]
	take := func(labels []label) []anchor {
		made := make([]anchor, len(labels))
		centres := make([][]float32, len(labels))
		for i, l := range labels {
			made[i].phrases, rest = rest[:len(l.phrases)], rest[len(l.phrases):]
			centres[i] = unit(mean(made[i].phrases, dim))
		}
		// What all labels have in common says nothing about any of them.
		common := mean(centres, dim)
		for i, c := range centres {
			made[i].direction = unit(minus(c, common))
		}
		return made
	}
	a.topics, a.emotion, a.style = take(f.topics), take(f.emotion), take(f.style)
	return a, nil
}

// vector returns the direction in which an item departs from the background;
// nil where it has no text vector.
func (a *anchors) vector(vec []float32, passages [][]float32) ([]float32, error) {
	dim := len(a.background)
	for _, v := range append(passages[:len(passages):len(passages)], vec) {
		if v != nil && len(v) != dim {
			return nil, fmt.Errorf("a vector of %d components beside labels of %d: %w", len(v), dim, upnext.ErrInvalid)
		}
	}
	if vec == nil {
		if vec = mean(passages, dim); dot(vec, vec) == 0 {
			return nil, nil
		}
		vec = unit(vec)
	}
	return unit(minus(vec, a.background)), nil
}

// mean leaves out nil vectors; of none it is zero.
func mean(vectors [][]float32, dim int) []float32 {
	out := make([]float32, dim)
	n := float32(0)
	for _, v := range vectors {
		if v == nil {
			continue
		}
		n++
		for i, x := range v {
			out[i] += x
		}
	}
	for i := range out {
		out[i] /= max(n, 1)
	}
	return out
}

func minus(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

// unit scales v to length 1 in place; a zero vector stays.
func unit(v []float32) []float32 {
	if square := dot(v, v); square > 0 {
		scale := float32(1 / math.Sqrt(square))
		for i := range v {
			v[i] *= scale
		}
	}
	return v
}

func dot(a, b []float32) float64 {
	var sum float64
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}
