package collab

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"sync"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/kernel"
	"upnext/learn/matrix"
)

// factorSettings are what a viewer's factors are solved with.
type factorSettings struct {
	Items, Factors    int
	Alpha, Lambda, Nu float64
	Decay             Decay
}

// factorModel scores by the inner product of a viewer's factors with an item's.
type factorModel struct {
	factorSettings
	items   []float32   // items × factors
	rough   *roughItems // nil where the items are few
	all     []float32   // α·HᵀH
	asker   asker
	solvers *sync.Pool
}

// asked is the buffers of one call.
type asked struct {
	least   *leastSquares
	columns []int32
	weights []float32
	viewer  []float32

	bytes    []int8 // of the viewer, for rough scores
	products []int32
}

func newFactors(s factorSettings, items []float32) *factorModel {
	m := &factorModel{factorSettings: s, items: items, rough: roughly(items, s.Factors), all: matrix.Square(items, s.Factors), asker: newAsker(s.Items, []Decay{s.Decay}, false)}
	for i := range m.all {
		m.all[i] *= float32(s.Alpha)
	}
	m.solvers = &sync.Pool{New: func() any {
		return &asked{least: newLeastSquares(s.Factors), viewer: make([]float32, s.Factors)}
	}}
	return m
}

// Name implements learn.Model.
func (*factorModel) Name() string { return ials }

// Items implements learn.Model.
func (m *factorModel) Items() int { return m.factorSettings.Items }

// Score implements learn.Model: the viewer's factors are solved as fitting
// solves them (fold-in), then meet every item's.
func (m *factorModel) Score(h learn.History, scores []float32) bool {
	a := m.solvers.Get().(*asked)
	defer m.solvers.Put(a)
	if !m.place(h, a) {
		return false
	}
	if m.rough != nil {
		m.rough.score(a, scores[:m.Items()])
		return true
	}
	level, d := kernel.Best(), m.Factors
	for i := range scores[:m.Items()] {
		scores[i] = level.Dot(a.viewer, m.items[i*d:(i+1)*d])
	}
	return true
}

// place solves a history's factors into a.viewer.
func (m *factorModel) place(h learn.History, a *asked) bool {
	q := m.asker.terms(h)
	defer m.asker.done(q)
	if len(q.terms) == 0 {
		return false
	}
	a.columns, a.weights = a.columns[:0], a.weights[:0]
	for _, t := range q.terms {
		a.columns, a.weights = append(a.columns, int32(t.row)), append(a.weights, t.weight)
	}
	lambda := frequencyScaled(m.Lambda, m.Nu, m.Alpha, len(q.terms), m.Items())
	return a.least.solve(m.all, lambda, m.items, a.columns, a.weights, a.viewer)
}

// Artefact implements learn.Model.
func (m *factorModel) Artefact() artefact.Artefact {
	text, err := json.Marshal(m.factorSettings)
	if err != nil {
		panic(err) // unreachable: Fit and Load have checked the numbers
	}
	return artefact.Artefact{Kind: ials, Version: version,
		Settings: map[string]string{"items": strconv.Itoa(m.Items()), "factors": string(text)},
		Tensors:  map[string]artefact.Tensor{"item": artefact.Floats(m.items, m.Items(), m.Factors)}}
}

func loadFactors(a artefact.Artefact) (learn.Model, error) {
	n, err := items(a)
	if err != nil {
		return nil, err
	}
	var s factorSettings
	if err := json.Unmarshal([]byte(a.Settings["factors"]), &s); err != nil {
		return nil, fmt.Errorf("setting factors: %w: %w", upnext.ErrInvalid, err)
	}
	if s.Items != n || s.Factors < 1 || !(s.Alpha > 0) || !(s.Lambda > 0) || !(s.Nu >= 0 && s.Nu <= 4) {
		return nil, fmt.Errorf("factors %+v for %d items: %w", s, n, upnext.ErrInvalid)
	}
	if err := s.Decay.check(); err != nil {
		return nil, err
	}
	h, _, err := a.Floats("item", n, s.Factors)
	if err != nil {
		return nil, err
	}
	return newFactors(s, h), nil
}

func sqrt32(v float32) float32 { return float32(math.Sqrt(float64(v))) }
