package embed

import (
	"fmt"
	"math"
	"regexp"

	"upnext"
)

// The blocks of a content vector.
const (
	TextDim  = 384
	ImageDim = 128
	// ContentDim is the length of a content vector: text first, then image.
	ContentDim = TextDim + ImageDim
)

// DefaultTextWeight is the share of the text in the likeness of two items that
// have both text and picture.
const DefaultTextWeight = 0.8

// Space makes one content vector of an item's text and picture. Each encoder's
// unit vector is taken to its block by a fixed random orthonormal projection and
// scaled to length 1; the blocks are weighted with the square roots of their
// shares, so that the inner product of two content vectors is
//
//	weight · cosine of the texts + (1 − weight) · cosine of the pictures.
//
// What an item lacks is a block of zeros, and the whole is scaled to length 1
// again. A Space is constant and safe for concurrent use.
type Space struct {
	name        string
	text, image *projection
	root        [2]float32 // of the shares of text and image
}

var modelID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// NewSpace joins the vectors of two encoders; the zero Model stands for one that
// there is not. textWeight lies between 0 and 1 (DefaultTextWeight). It costs
// some 40 ms: make one and keep it. Its errors are ErrInvalid.
func NewSpace(text, image Model, textWeight float64) (*Space, error) {
	if !(textWeight > 0 && textWeight < 1) {
		return nil, fmt.Errorf("content space: text weight %v is not between 0 and 1: %w", textWeight, upnext.ErrInvalid)
	}
	if text == (Model{}) && image == (Model{}) {
		return nil, fmt.Errorf("content space: neither a text nor an image model: %w", upnext.ErrInvalid)
	}
	s := &Space{root: [2]float32{float32(math.Sqrt(textWeight)), float32(math.Sqrt(1 - textWeight))}}
	for _, m := range []struct {
		model Model
		dim   int
		block **projection
		none  string
	}{{text, TextDim, &s.text, "no-text"}, {image, ImageDim, &s.image, "no-image"}} {
		if m.model == (Model{}) {
			s.name += fmt.Sprintf("%s-", m.none)
			continue
		}
		if !modelID.MatchString(m.model.ID) || m.model.Dim <= 0 {
			return nil, fmt.Errorf("content space: model %q of %d dimensions: want an id of [a-z0-9-] and some dimensions: %w",
				m.model.ID, m.model.Dim, upnext.ErrInvalid)
		}
		*m.block = newProjection(m.model.Dim, m.dim)
		s.name += fmt.Sprintf("%s-%d-to-%d-", m.model.ID, m.model.Dim, m.dim)
	}
	// The weight in thousandths; "p1" is the projection's way of being made.
	s.name += fmt.Sprintf("w%d-p1", int(math.Round(textWeight*1000)))
	return s, nil
}

// Name names models, projection, dimensions and weight in [a-z0-9-]: vectors of
// two spaces may be compared only if their names are equal. It is the name of
// the collection that holds them.
func (s *Space) Name() string { return s.name }

// Dim is the length of a content vector.
func (s *Space) Dim() int { return ContentDim }

// Fuse makes the content vector of an item, of length 1. Either of the encoders'
// vectors may be nil; both, a wrong dimension or a vector without a direction
// are an ErrInvalid.
func (s *Space) Fuse(text, image []float32) ([]float32, error) {
	if text == nil && image == nil {
		return nil, fmt.Errorf("content vector: neither text nor image: %w", upnext.ErrInvalid)
	}
	out := make([]float32, ContentDim)
	if err := fill(out[:TextDim], Text, s.text, text, s.root[0]); err != nil {
		return nil, err
	}
	if err := fill(out[TextDim:], Image, s.image, image, s.root[1]); err != nil {
		return nil, err
	}
	normalize(out)
	return out, nil
}

// Query makes the vector with which a text finds items: the text block alone.
// Its inner product with an item is the cosine of the texts, times the root of
// the text weight where the item has a picture too.
func (s *Space) Query(text []float32) ([]float32, error) { return s.Fuse(text, nil) }

// fill writes one weighted block; nil leaves it zero.
func fill(out []float32, of Modality, p *projection, v []float32, weight float32) error {
	if v == nil {
		return nil
	}
	if p == nil {
		return fmt.Errorf("content vector: the space has no %s model: %w", of, upnext.ErrInvalid)
	}
	if len(v) != p.from {
		return fmt.Errorf("content vector: %s vector of %d dimensions, want %d: %w", of, len(v), p.from, upnext.ErrInvalid)
	}
	if !p.apply(out, v) {
		return fmt.Errorf("content vector: the %s vector has no direction: %w", of, upnext.ErrInvalid)
	}
	for i := range out {
		out[i] *= weight
	}
	return nil
}

// Pool makes one vector of several of the same length, such as the passages of a
// text: their weighted mean, scaled to length 1. No weights mean equal ones; nil
// vectors are left out. Nothing to pool, unequal lengths, a weight below zero and
// a mean of zero are an ErrInvalid.
func Pool(vectors [][]float32, weights []float32) ([]float32, error) {
	if weights != nil && len(weights) != len(vectors) {
		return nil, fmt.Errorf("pool: %d weights for %d vectors: %w", len(weights), len(vectors), upnext.ErrInvalid)
	}
	var out []float32
	for i, v := range vectors {
		if v == nil {
			continue
		}
		w := float32(1)
		if weights != nil {
			w = weights[i]
		}
		if !(w >= 0) || math.IsInf(float64(w), 1) {
			return nil, fmt.Errorf("pool: weight %d is %v: %w", i, w, upnext.ErrInvalid)
		}
		if out == nil {
			out = make([]float32, len(v))
		}
		if len(v) != len(out) {
			return nil, fmt.Errorf("pool: vector %d of %d dimensions among those of %d: %w", i, len(v), len(out), upnext.ErrInvalid)
		}
		for k, x := range v {
			out[k] += w * x
		}
	}
	if !normalize(out) {
		return nil, fmt.Errorf("pool: %d vectors without a mean direction: %w", len(vectors), upnext.ErrInvalid)
	}
	return out, nil
}
