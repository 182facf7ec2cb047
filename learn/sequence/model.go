package sequence

import (
	"sync"

	"upnext/learn"
	"upnext/learn/kernel"
)

// Model is a fitted network. It is constant and safe for concurrent use.
type Model struct {
	net      network
	v        *weights
	items    int
	made     map[string]string // how it was fitted, for people
	states   sync.Pool         // of *State, for histories that come whole
	level    kernel.Level
	vectors8 *bytes8 // of the items, in the place of their float32 block; or nil
}

var _ learn.Model = (*Model)(nil)

func newModel(net network, v *weights, made map[string]string) *Model {
	last := v.blocks[len(v.blocks)-1]
	m := &Model{net: net, v: v, items: last.shape[0], made: made, level: kernel.Best()}
	m.states.New = func() any { return m.state() }
	return m
}

// Name implements learn.Model.
func (m *Model) Name() string { return m.net.name() }

// Items implements learn.Model.
func (m *Model) Items() int { return m.items }

// Dim is the length of the vectors.
func (m *Model) Dim() int { return m.net.dim() }

// Score implements learn.Model: the inner product of each item's vector with
// that of the history, which is the logarithm of its chance but for a constant.
// Items that it does not know are passed over; without any other it reports
// false.
func (m *Model) Score(h learn.History, scores []float32) bool {
	s := m.states.Get().(*State)
	defer m.states.Put(s)
	s.read(h.Items)
	return s.Score(scores)
}

// Vector answers the vector of a history, to search the items' vectors by their
// inner product with it; nil where the history says nothing.
func (m *Model) Vector(h learn.History) []float32 {
	s := m.states.Get().(*State)
	defer m.states.Put(s)
	s.read(h.Items)
	return append([]float32(nil), s.Vector()...)
}

// ScoreVector is Score for a history whose vector was kept.
func (m *Model) ScoreVector(x, scores []float32) {
	scores = scores[:m.items]
	if m.vectors8 != nil {
		m.vectors8.score(m.level, x, scores)
		return
	}
	d, all := m.Dim(), m.v.w[m.v.items:]
	for i := range scores {
		scores[i] = m.level.Dot(x, all[i*d:][:d])
	}
}

// ItemVector sets v, of length Dim, to an item's vector.
func (m *Model) ItemVector(item int32, v []float32) {
	if m.vectors8 != nil {
		m.vectors8.row(item, v)
		return
	}
	copy(v, m.v.row(m.v.w, item, m.Dim()))
}
