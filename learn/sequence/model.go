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

// ItemVector sets v, of length Dim, to an item's vector.
func (m *Model) ItemVector(item int32, v []float32) {
	if m.vectors8 != nil {
		m.vectors8.row(item, v)
		return
	}
	copy(v, m.v.row(m.v.w, item, m.Dim()))
}

// State is a viewer as a model sees it so far: a request only scores, since
// events have advanced it. One goroutine may use it at a time.
type State struct {
	m      *Model
	acts   int     // in all
	window []int32 // what of them is read
	cursor cursor
}

func (m *Model) state() *State {
	return &State{m: m, cursor: m.net.cursor(m.v, m.ItemVector)}
}

// Start makes the state of a history.
func (m *Model) Start(h learn.History) *State {
	s := m.state()
	s.read(h.Items)
	return s
}

// read makes the state that of a history.
func (s *State) read(items []int32) {
	s.acts, s.window = 0, s.window[:0]
	length, hop := s.m.net.window()
	for _, item := range items {
		if s.knows(item) {
			s.acts++
		}
	}
	at, from := 0, begin(s.acts, length, hop)
	for _, item := range items {
		if !s.knows(item) {
			continue
		}
		if at >= from {
			s.window = append(s.window, item)
		}
		at++
	}
	s.cursor.reset()
	s.cursor.extend(s.window)
}

func (s *State) knows(item int32) bool { return item >= 0 && int(item) < s.m.items }

// Advance appends an act. The state is then, to the bit, what Start makes of
// the longer history; an item that the model does not know changes nothing.
func (s *State) Advance(item int32) {
	if !s.knows(item) {
		return
	}
	length, hop := s.m.net.window()
	gone := begin(s.acts+1, length, hop) - begin(s.acts, length, hop)
	s.acts++
	s.window = append(s.window, item)
	if gone == 0 {
		s.cursor.extend(s.window[len(s.window)-1:])
		return
	}
	s.window = append(s.window[:0], s.window[gone:]...)
	s.cursor.reset()
	s.cursor.extend(s.window)
}

// Vector is that of the acts so far, to be read before the next call; nil
// before the first.
func (s *State) Vector() []float32 {
	if len(s.window) == 0 {
		return nil
	}
	return s.cursor.vector()
}

// Score is Model.Score of the acts so far.
func (s *State) Score(scores []float32) bool {
	x, d := s.Vector(), s.m.Dim()
	if x == nil {
		return false
	}
	scores = scores[:s.m.items]
	if s.m.vectors8 != nil {
		s.m.vectors8.score(s.m.level, x, scores)
		return true
	}
	all := s.m.v.w[s.m.v.items:]
	for i := range scores {
		scores[i] = s.m.level.Dot(x, all[i*d:][:d])
	}
	return true
}
