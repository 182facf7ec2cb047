package collab

import (
	"maps"
	"strconv"

	"upnext/learn"
	"upnext/learn/artefact"
)

// linear is a model whose scores are sums of rows of weights: row s·items + i
// is what item i adds at scale s.
type linear struct {
	kind    string
	asker   asker
	weights *weights
}

// newLinear makes the model of kind from its weights, kept as storage says.
// Only the ridge counts an item again each time that it comes.
func newLinear(kind string, items int, decays []Decay, w *weights, storage Storage) *linear {
	return &linear{kind, newAsker(items, decays, kind == ridge), w.stored(storage)}
}

// Name implements learn.Model.
func (m *linear) Name() string { return m.kind }

// Items implements learn.Model.
func (m *linear) Items() int { return m.asker.items }

// Score implements learn.Model. It reads one row of weights for each distinct
// item that counts.
func (m *linear) Score(h learn.History, scores []float32) bool {
	q := m.asker.terms(h)
	defer m.asker.done(q)
	if len(q.terms) == 0 {
		return false
	}
	clear(scores)
	for _, t := range q.terms {
		m.weights.add(scores, t.row, t.weight)
	}
	return true
}

// Artefact implements learn.Model.
func (m *linear) Artefact() artefact.Artefact {
	settings := map[string]string{"items": strconv.Itoa(m.asker.items), "decays": writeDecays(m.asker.decays)}
	return artefact.Artefact{Kind: m.kind, Version: version, Settings: settings, Tensors: maps.Clone(m.weights.tensors())}
}

func loadLinear(a artefact.Artefact) (learn.Model, error) {
	n, err := items(a)
	if err != nil {
		return nil, err
	}
	decays, err := readDecays(a.Settings["decays"])
	if err != nil {
		return nil, err
	}
	w, err := readWeights(a, n*len(decays), n)
	if err != nil {
		return nil, err
	}
	return newLinear(a.Kind, n, decays, w, Storage{}), nil
}
