package collab

import (
	"context"
	"fmt"
	"math"

	"upnext"
	"upnext/learn"
	"upnext/learn/kernel"
	"upnext/learn/matrix"
)

// ColdMap gives items a place in a collaborative model before anyone took to
// them: a map from content vectors to places, learned by ridge regression from
// the items that have been taken to (Gantner et al., "Learning Attribute-to-
// Feature Mappings for Cold-Start Recommendations", ICDM 2010). A place is an
// item's factors in IALS, its column of weights in EASE and Ridge.
//
// As a learn.Fitter it fits Of, then puts the items that the log does not know
// where the map says; the model is of Of's kind.
type ColdMap struct {
	Of      learn.Fitter // EASE or Ridge with whole weights (no Storage), or IALS
	Content []float32    // items × Dim, unit vectors; zeros where an item has none
	Dim     int
	Lambda  float64 // 0 means 1
	Support float64 // acts at which an item counts half in learning the map; 0 means 10
}

// Name implements learn.Fitter.
func (c ColdMap) Name() string { return c.Of.Name() }

// Fit implements learn.Fitter.
func (c ColdMap) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	if err := log.Check(); err != nil {
		return nil, err
	}
	if c.Dim < 1 || len(c.Content) != c.Dim*log.Items {
		return nil, fmt.Errorf("%d content numbers of %d dimensions for %d items: %w", len(c.Content), c.Dim, log.Items, upnext.ErrInvalid)
	}
	m, err := c.Of.Fit(ctx, log, watch)
	if err != nil {
		return nil, err
	}
	acts := degrees(takes(log))
	places, err := c.Learn(ctx, m, acts)
	if err != nil {
		return nil, err
	}
	out := make([]float32, places.Width)
	target, width := placesOf(m)
	for i, n := range acts {
		content := c.Content[i*c.Dim : (i+1)*c.Dim]
		if n > 0 || !places.Place(content, out) {
			continue
		}
		for k := range width {
			target.V[k*target.Row+i*target.Col] = out[k]
		}
	}
	if f, ok := m.(*factorModel); ok { // its HᵀH has changed with the items
		m = newFactors(f.factorSettings, f.items)
	}
	return m, nil
}

// Places is a learned map: Width × Dim, the last of Dim being a constant.
type Places struct {
	Width, Dim int
	Map        []float32
}

// Learn learns the map from a model of this package, acts being how often each
// item was taken to.
func (c ColdMap) Learn(ctx context.Context, m learn.Model, acts []float64) (*Places, error) {
	lambda, support := c.Lambda, c.Support
	if lambda == 0 {
		lambda = 1
	}
	if support == 0 {
		support = 10
	}
	if !(lambda > 0) || !(support > 0) {
		return nil, fmt.Errorf("cold map with λ %v, support %v: %w", lambda, support, upnext.ErrInvalid)
	}
	target, width := placesOf(m)
	if target.V == nil {
		return nil, fmt.Errorf("cold map of a model of kind %s, or of pruned or rounded weights: %w", m.Name(), upnext.ErrInvalid)
	}
	n, d := m.Items(), c.Dim+1
	content, weighted := make([]float32, n*d), make([]float32, n*d)
	for i := range n {
		own := c.Content[i*c.Dim : (i+1)*c.Dim]
		if acts[i] == 0 || blank(own) {
			continue
		}
		row, by := content[i*d:(i+1)*d], float32(acts[i]/(acts[i]+support))
		copy(row, own)
		row[d-1] = 1
		for k, v := range row {
			weighted[i*d+k] = by * v
		}
	}
	level := kernel.Best()
	gram := make([]float32, d*d)
	level.ParallelGemm(matrix.Workers(), d, d, n, kernel.Rows(content, d).T(), kernel.Rows(weighted, d), kernel.Rows(gram, d), false)
	for k := range d {
		gram[k*d+k] += float32(lambda)
	}
	f, err := matrix.Cholesky(ctx, gram, d)
	if err != nil {
		return nil, fmt.Errorf("cold map: %w", err)
	}
	inverse, err := f.Inverse(ctx)
	if err != nil {
		return nil, fmt.Errorf("cold map: %w", err)
	}
	moments, places := make([]float32, width*d), &Places{width, d, make([]float32, width*d)}
	level.ParallelGemm(matrix.Workers(), width, d, n, target, kernel.Rows(weighted, d), kernel.Rows(moments, d), false)
	level.ParallelGemm(matrix.Workers(), width, d, d, kernel.Rows(moments, d), kernel.Rows(inverse, d), kernel.Rows(places.Map, d), false)
	return places, nil
}

// Place sets out, of length Width, to where an item of that content belongs; it
// reports false where there is no content.
func (p *Places) Place(content, out []float32) bool {
	if blank(content) {
		return false
	}
	for k := range p.Width {
		row := p.Map[k*p.Dim : (k+1)*p.Dim]
		out[k] = kernel.Best().Dot(row[:p.Dim-1], content) + row[p.Dim-1]
	}
	return true
}

// placesOf views a model's places, width × items; of no model that has none.
func placesOf(m learn.Model) (places kernel.Matrix, width int) {
	switch m := m.(type) {
	case *factorModel:
		return kernel.Rows(m.items, m.Factors).T(), m.Factors
	case *linear:
		if m.weights.start == nil && m.weights.code == nil {
			return kernel.Rows(m.weights.value, m.weights.columns), m.weights.rows
		}
	}
	return kernel.Matrix{}, 0
}

// blank reports whether there is no content, or none that can be used.
func blank(v []float32) bool {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return !(sum > 0) || math.IsInf(sum, 0)
}
