package sequence

import "upnext/learn"

var (
	_ learn.Reader  = (*Model)(nil)
	_ learn.Reading = (*State)(nil)
)

// Read implements learn.Reader.
func (m *Model) Read(h learn.History) learn.Reading { return m.Start(h) }

// State is a viewer as a model sees it so far: a request only scores, since
// events have advanced it. GRU's is Hidden numbers, SASRec's 2·Blocks·Dim·Length
// of them: where many viewers are kept, Vector alone is enough to score by, and
// Start remakes the rest. One goroutine may use it at a time.
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
	x := s.Vector()
	if x != nil {
		s.m.ScoreVector(x, scores)
	}
	return x != nil
}

// Bytes implements learn.Reading: of the past that is kept.
func (s *State) Bytes() int { return 4 * (cap(s.window) + s.cursor.floats()) }
