// Package content scores items by what they are: by the likeness of their
// content vectors to those of the history. It learns nothing of behaviour, so
// that an item nobody has seen yet is scored like any other.
package content

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
)

const (
	kind    = "content"
	version = 1
)

// Nearest is the settings of a content model. It is a learn.Fitter.
type Nearest struct {
	Vectors [][]float32 // by item, of one length; nil where there is nothing to know it by
	Decay   float64     // acts after which an item of the history weighs 1/e; 0 weighs all the same
	Raw     bool        // take vectors as they are, and not less their mean
}

var _ learn.Fitter = Nearest{}

// Name implements learn.Fitter.
func (n Nearest) Name() string { return kind }

// Fit implements learn.Fitter. Of the log only the number of items is read. What
// all items share tells none from another, so the vectors' mean is taken off
// them, and they are scaled to length 1.
func (n Nearest) Fit(_ context.Context, log learn.Log, _ learn.Watch) (learn.Model, error) {
	m, err := n.fit(log)
	if err != nil {
		return nil, fmt.Errorf("fit content: %w", err)
	}
	return m, nil
}

func (n Nearest) fit(log learn.Log) (*Model, error) {
	if err := log.Check(); err != nil {
		return nil, err
	}
	if len(n.Vectors) != log.Items {
		return nil, fmt.Errorf("%d vectors for %d items: %w", len(n.Vectors), log.Items, upnext.ErrInvalid)
	}
	m := &Model{items: log.Items, decay: n.Decay}
	for i, v := range n.Vectors {
		if v == nil {
			continue
		}
		if m.dim == 0 {
			m.dim, m.rows = len(v), make([]float32, log.Items*len(v))
		}
		if len(v) != m.dim {
			return nil, fmt.Errorf("the vector of item %d has %d numbers, others %d: %w", i, len(v), m.dim, upnext.ErrInvalid)
		}
		copy(m.row(i), v)
	}
	if m.dim == 0 {
		return nil, fmt.Errorf("no item has a vector: %w", upnext.ErrInvalid)
	}
	mean := make([]float64, m.dim)
	if !n.Raw {
		m.mean(n.Vectors, mean)
	}
	for i, v := range n.Vectors {
		if v != nil && !unit(m.row(i), mean) {
			return nil, fmt.Errorf("the vector of item %d: a number is not finite: %w", i, upnext.ErrInvalid)
		}
	}
	return m, nil
}

// mean sets out to the vectors' mean.
func (m *Model) mean(vectors [][]float32, out []float64) {
	n := 0.0
	for _, v := range vectors {
		if v == nil {
			continue
		}
		n++
		for k, x := range v {
			out[k] += float64(x)
		}
	}
	for k := range out {
		out[k] /= n
	}
}

// unit takes mean off the row and scales it to length 1; a row without a
// direction becomes zeros. It reports false of numbers that are not finite.
func unit(row []float32, mean []float64) bool {
	var squares float64
	for k, x := range row {
		d := float64(x) - mean[k]
		row[k] = float32(d)
		squares += d * d
	}
	if math.IsNaN(squares) || math.IsInf(squares, 0) {
		return false
	}
	length := math.Sqrt(squares)
	for k := range row {
		if length < 1e-6 {
			row[k] = 0
		} else {
			row[k] = float32(float64(row[k]) / length)
		}
	}
	return true
}

// Model is a fitted Nearest. It is a learn.Model.
type Model struct {
	items, dim int
	decay      float64
	rows       []float32 // items × dim, of length 1 or zeros
}

var _ learn.Model = (*Model)(nil)

func (m *Model) row(i int) []float32 { return m.rows[i*m.dim : (i+1)*m.dim] }

// Name implements learn.Model.
func (m *Model) Name() string { return kind }

// Items implements learn.Model.
func (m *Model) Items() int { return m.items }

// Score implements learn.Model: the inner product of each item's vector with
// Σ exp(−age/decay) · the vectors of the history, the newest being of age 0. It
// is silent where no item of the history has a vector.
func (m *Model) Score(h learn.History, scores []float32) bool {
	taste := make([]float32, m.dim)
	told := false
	for i, item := range h.Items {
		w := float32(1)
		if m.decay > 0 {
			w = float32(math.Exp(-float64(len(h.Items)-1-i) / m.decay))
		}
		for k, x := range m.row(int(item)) {
			taste[k] += w * x
			told = told || x != 0
		}
	}
	if !told {
		return false
	}
	for i := range scores {
		scores[i] = level.Dot(taste, m.row(i))
	}
	return true
}

// Artefact implements learn.Model.
func (m *Model) Artefact() artefact.Artefact {
	return artefact.Artefact{Kind: kind, Version: version,
		Settings: map[string]string{"decay": strconv.FormatFloat(m.decay, 'g', -1, 64)},
		Tensors:  map[string]artefact.Tensor{"rows": artefact.Floats(m.rows, m.items, m.dim)},
	}
}

// Load reads what Artefact wrote.
func Load(a artefact.Artefact) (*Model, error) {
	if err := a.Expect(kind, version); err != nil {
		return nil, err
	}
	rows, shape, err := a.Floats("rows", -1, -1)
	if err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	decay, err := a.Float("decay")
	if err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	return &Model{items: shape[0], dim: shape[1], decay: decay, rows: rows}, nil
}
