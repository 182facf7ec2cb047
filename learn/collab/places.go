package collab

import (
	"fmt"
	"strconv"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/kernel"
)

const placesKind = "places"

// Acts is how many viewers of a log took to each item, as ColdMap.Learn asks.
func Acts(log learn.Log) []float64 { return degrees(takes(log)) }

// Fits reports whether the map is one into that model's places.
func (p *Places) Fits(m learn.Model) bool {
	target, width := placesOf(m)
	return target.V != nil && width == p.Width
}

// Toward sets out, of length Dim, to where a viewer of that history is drawn, in
// content: the model would give an item of content c, were it placed by the map,
//
//	out[:Dim-1]·c + out[Dim-1].
//
// It is the place's score with the sums in another order: the history meets the
// map first, so that an item costs one inner product as long as its content and
// not one as long as its place. It reports false where the model is silent. The
// map fits the model: see Fits.
func (p *Places) Toward(m learn.Model, h learn.History, out []float32) bool {
	clear(out)
	level := kernel.Best()
	switch m := m.(type) {
	case *linear:
		q := m.asker.terms(h)
		defer m.asker.done(q)
		for _, t := range q.terms {
			level.Axpy(out, t.weight, p.Map[t.row*p.Dim:(t.row+1)*p.Dim])
		}
		return len(q.terms) > 0
	case *factorModel:
		a := m.solvers.Get().(*asked)
		defer m.solvers.Put(a)
		if !m.place(h, a) {
			return false
		}
		for k, v := range a.viewer {
			level.Axpy(out, v, p.Map[k*p.Dim:(k+1)*p.Dim])
		}
		return true
	}
	return false
}

// Artefact is the map as it is stored.
func (p *Places) Artefact() artefact.Artefact {
	return artefact.Artefact{Kind: placesKind, Version: version,
		Settings: map[string]string{"width": strconv.Itoa(p.Width), "dim": strconv.Itoa(p.Dim)},
		Tensors:  map[string]artefact.Tensor{"map": artefact.Floats(p.Map, p.Width, p.Dim)}}
}

// LoadPlaces reads a map back. What does not fit together, or holds a number
// that is not finite, is ErrInvalid.
func LoadPlaces(a artefact.Artefact) (*Places, error) {
	if err := a.Expect(placesKind, version); err != nil {
		return nil, err
	}
	values, shape, err := a.Floats("map", -1, -1)
	if err != nil {
		return nil, fmt.Errorf("places: %w", err)
	}
	if shape[0] < 1 || shape[1] < 2 {
		return nil, fmt.Errorf("places of shape %v: %w", shape, upnext.ErrInvalid)
	}
	return &Places{Width: shape[0], Dim: shape[1], Map: values}, nil
}

// HasPlaces reports whether a model has places that a map can be learned into:
// EASE and Ridge with whole weights, and IALS.
func HasPlaces(m learn.Model) bool {
	target, _ := placesOf(m)
	return target.V != nil
}
