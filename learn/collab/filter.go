package collab

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/kernel"
)

// filterSettings are what a graph filter answers with.
type filterSettings struct {
	Alpha, Sharpen float64
	Decay          Decay
}

// filterModel is P, sparse, and V with what makes the filters of it.
type filterModel struct {
	filterSettings
	linear  *weights
	factors int
	values  []float32 // eigenvalues of P
	vectors []float32 // V: items × factors
	roots   []float32 // of the items' degrees

	sharp   []float32 // what sharpening adds along each eigenvector, less 1
	across  []float32 // α·VᵀD^½V: what the ideal filter's answer has along V
	asker   asker
	buffers *sync.Pool // of 3 × factors floats
}

func newFilter(s filterSettings, linear *weights, values, vectors, roots []float32) *filterModel {
	m := &filterModel{filterSettings: s, linear: linear, factors: len(values), values: values, vectors: vectors, roots: roots}
	k := m.factors
	m.asker = newAsker(linear.columns, []Decay{s.Decay}, false)
	m.buffers = &sync.Pool{New: func() any {
		b := make([]float32, 3*k)
		return &b
	}}
	if s.Sharpen > 0 {
		m.sharp = make([]float32, k)
		for i, v := range values {
			// dy/dt = -yP: one step of the classic fourth order.
			x := s.Sharpen * float64(v)
			m.sharp[i] = float32(-x + x*x/2 - x*x*x/6 + x*x*x*x/24)
		}
		scaled := make([]float32, len(vectors))
		for i, root := range roots {
			for j, v := range vectors[i*k : (i+1)*k] {
				scaled[i*k+j] = float32(s.Alpha) * root * v
			}
		}
		m.across = make([]float32, k*k)
		kernel.Best().ParallelGemm(2, k, k, len(roots), kernel.Rows(vectors, k).T(), kernel.Rows(scaled, k), kernel.Rows(m.across, k), false)
	}
	return m
}

// Name implements learn.Model.
func (*filterModel) Name() string { return graphFilter }

// Items implements learn.Model.
func (m *filterModel) Items() int { return m.linear.columns }

// Score implements learn.Model.
func (m *filterModel) Score(h learn.History, scores []float32) bool {
	q := m.asker.terms(h)
	defer m.asker.done(q)
	if len(q.terms) == 0 {
		return false
	}
	level, k := kernel.Best(), m.factors
	buffer := m.buffers.Get().(*[]float32)
	defer m.buffers.Put(buffer)
	clear(*buffer)
	along, ideal, turned := (*buffer)[:k], (*buffer)[k:2*k], (*buffer)[2*k:]
	clear(scores)
	for _, t := range q.terms {
		m.linear.add(scores, t.row, t.weight)
		if root := m.roots[t.row]; root > 0 {
			v := m.vectors[t.row*k : (t.row+1)*k]
			level.Axpy(along, t.weight, v)
			level.Axpy(ideal, t.weight/root, v)
		}
	}
	for i, v := range m.sharp {
		// Of what both filters answer, the part along V is weakened or turned.
		turned[i] = v * (m.values[i]*along[i] + level.Dot(m.across[i*k:(i+1)*k], ideal))
	}
	for i, root := range m.roots {
		if root == 0 {
			continue
		}
		v := m.vectors[i*k : (i+1)*k]
		scores[i] += float32(m.Alpha) * root * level.Dot(v, ideal)
		if m.sharp != nil {
			scores[i] += level.Dot(v, turned)
		}
	}
	return true
}

// Artefact implements learn.Model.
func (m *filterModel) Artefact() artefact.Artefact {
	text, err := json.Marshal(m.filterSettings)
	if err != nil {
		panic(err) // unreachable: Fit and Load have checked the numbers
	}
	t := m.linear.tensors()
	n := m.Items()
	t["value"], t["vector"], t["root"] = artefact.Floats(m.values, m.factors), artefact.Floats(m.vectors, n, m.factors), artefact.Floats(m.roots, n)
	return artefact.Artefact{Kind: graphFilter, Version: version, Tensors: t,
		Settings: map[string]string{"items": strconv.Itoa(n), "filter": string(text)}}
}

func loadFilter(a artefact.Artefact) (learn.Model, error) {
	n, err := items(a)
	if err != nil {
		return nil, err
	}
	var s filterSettings
	if err := json.Unmarshal([]byte(a.Settings["filter"]), &s); err != nil {
		return nil, fmt.Errorf("setting filter: %w: %w", upnext.ErrInvalid, err)
	}
	if !(s.Alpha >= 0 && s.Alpha <= 1e6) || !(s.Sharpen >= 0 && s.Sharpen <= 10) {
		return nil, fmt.Errorf("filter %+v: %w", s, upnext.ErrInvalid)
	}
	if err := s.Decay.check(); err != nil {
		return nil, err
	}
	linear, err := readWeights(a, n, n)
	if err != nil {
		return nil, err
	}
	values, shape, err := a.Floats("value", -1)
	if err != nil {
		return nil, err
	}
	vectors, _, err := a.Floats("vector", n, shape[0])
	if err != nil {
		return nil, err
	}
	roots, _, err := a.Floats("root", n)
	if err != nil {
		return nil, err
	}
	return newFilter(s, linear, values, vectors, roots), nil
}
