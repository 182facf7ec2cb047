package content

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/kernel"
	"upnext/learn/matrix"
)

const spreadKind = "spread"

// Spread is a learned map from content to the scores of any other model, so that
// items nobody took to yet stand among the rest by the behaviour that is to be
// expected of what they are. For each request the scores x of the items known to
// the model are regressed on their content f (with a constant), and all items
// are scored by the regression:
//
//	score = F·(FₖᵀWFₖ + λI)⁻¹·FₖᵀW·x, W = acts / (acts + support),
//
// Fₖ being the rows of items with acts. For linear models this is the same as a
// map from content to the model's places of items (Gantner et al., "Learning
// Attribute-to-Feature Mappings for Cold-Start Recommendations", ICDM 2010).
// Known items are scored by their content, too: a regression's scores are
// smaller than what they are fitted to, and the two would not compare. It is a
// learn.Fitter.
type Spread struct {
	Of      learn.Fitter
	Vectors [][]float32 // as Nearest has them
	Lambda  float64     // above 0
	Support float64     // acts at which an item counts half
}

var _ learn.Fitter = Spread{}

// Name implements learn.Fitter.
func (s Spread) Name() string { return spreadKind }

// Fit implements learn.Fitter.
func (s Spread) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	if !(s.Lambda > 0) || !(s.Support >= 0) {
		return nil, fmt.Errorf("fit spread: λ %v and support %v: %w", s.Lambda, s.Support, upnext.ErrInvalid)
	}
	rows, err := Nearest{Vectors: s.Vectors}.fit(log)
	if err != nil {
		return nil, fmt.Errorf("fit spread: %w", err)
	}
	of, err := s.Of.Fit(ctx, log, watch)
	if err != nil {
		return nil, fmt.Errorf("fit spread: %w", err)
	}
	acts := make([]float64, log.Items)
	for _, h := range log.Viewers {
		for _, item := range h.Items {
			acts[item]++
		}
	}
	m := newSpread(of, log.Items, rows.dim+1)
	features := make([]float32, m.items*m.dim)
	for i := range m.items {
		row := features[i*m.dim : (i+1)*m.dim]
		copy(row, rows.row(i))
		row[m.dim-1] = 1
		if acts[i] > 0 {
			level.Axpy(m.known[i*m.dim:(i+1)*m.dim], float32(acts[i]/(acts[i]+s.Support)), row)
		}
	}
	gram := make([]float32, m.dim*m.dim)
	level.ParallelGemm(matrix.Workers(), m.dim, m.dim, m.items, kernel.Rows(features, m.dim).T(), kernel.Rows(m.known, m.dim), kernel.Rows(gram, m.dim), false)
	for k := range m.dim {
		gram[k*m.dim+k] += float32(s.Lambda)
	}
	f, err := matrix.Cholesky(ctx, gram, m.dim)
	if err != nil {
		return nil, fmt.Errorf("fit spread: %w", err)
	}
	inverse, err := f.Inverse(ctx)
	if err != nil {
		return nil, fmt.Errorf("fit spread: %w", err)
	}
	level.ParallelGemm(matrix.Workers(), m.items, m.dim, m.dim, kernel.Rows(features, m.dim), kernel.Rows(inverse, m.dim), kernel.Rows(m.all, m.dim), false)
	return m, ctx.Err()
}

// level is that of this machine's kernels.
var level = kernel.Best()

// spread is a fitted Spread.
type spread struct {
	of         learn.Model
	items, dim int
	known, all []float32 // items × dim: WFₖ, zeros for items without acts; F·(…)⁻¹
	rows       *sync.Pool
}

func newSpread(of learn.Model, items, dim int) *spread {
	m := &spread{of: of, items: items, dim: dim, known: make([]float32, items*dim), all: make([]float32, items*dim)}
	m.rows = &sync.Pool{New: func() any { row := make([]float32, dim); return &row }}
	return m
}

// Name implements learn.Model.
func (m *spread) Name() string { return spreadKind }

// Items implements learn.Model.
func (m *spread) Items() int { return m.items }

// Score implements learn.Model. It is silent where the model below is.
func (m *spread) Score(h learn.History, scores []float32) bool {
	if !m.of.Score(h, scores) {
		return false
	}
	row := m.rows.Get().(*[]float32)
	defer m.rows.Put(row)
	sums := *row
	clear(sums)
	for i, x := range scores {
		if x != 0 {
			level.Axpy(sums, x, m.known[i*m.dim:(i+1)*m.dim])
		}
	}
	for i := range scores {
		scores[i] = level.Dot(sums, m.all[i*m.dim:(i+1)*m.dim])
	}
	return true
}

// Artefact implements learn.Model: the map alone. The model below is an artefact
// of its own, whose name is a setting.
func (m *spread) Artefact() artefact.Artefact {
	return artefact.Artefact{Kind: spreadKind, Version: version,
		Settings: map[string]string{"of": m.of.Name(), "items": strconv.Itoa(m.items)},
		Tensors:  map[string]artefact.Tensor{"known": artefact.Floats(m.known, m.items, m.dim), "all": artefact.Floats(m.all, m.items, m.dim)},
	}
}

// LoadSpread reads what a Spread's model wrote, over the model below.
func LoadSpread(a artefact.Artefact, of learn.Model) (learn.Model, error) {
	if err := a.Expect(spreadKind, version); err != nil {
		return nil, err
	}
	if a.Settings["of"] != of.Name() {
		return nil, fmt.Errorf("spread over %s, not %s: %w", a.Settings["of"], of.Name(), upnext.ErrInvalid)
	}
	known, shape, err := a.Floats("known", of.Items(), -1)
	if err != nil {
		return nil, fmt.Errorf("spread: %w", err)
	}
	all, _, err := a.Floats("all", shape...)
	if err != nil {
		return nil, fmt.Errorf("spread: %w", err)
	}
	m := newSpread(of, shape[0], shape[1])
	m.known, m.all = known, all
	return m, nil
}
