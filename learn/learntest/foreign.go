package learntest

import (
	"maps"
	"math"
	"slices"
	"testing"

	"upnext/learn"
	"upnext/learn/artefact"
)

// foreign: an artefact that is not the model's is refused as ErrInvalid: of
// another kind or version, without one of its tensors, with one too short, too
// long or not finite. Numbers that point elsewhere are refused or do no harm.
func (s Suite) foreign(t *testing.T) {
	m := s.fit(t, board{items: 16, viewers: 60, acts: 8, timed: true}.log(14))
	refused := func(what string, change func(*artefact.Artefact)) {
		t.Helper()
		a := clone(m.Artefact())
		change(&a)
		if got, err := s.Load(a); !invalid(err) {
			t.Errorf("%s: got %v, %v, want ErrInvalid", what, got, err)
		}
	}
	refused("of no kind", func(a *artefact.Artefact) { a.Kind = "" })
	refused("of another kind", func(a *artefact.Artefact) { a.Kind = "word2vec" })
	refused("of the next version", func(a *artefact.Artefact) { a.Version++ })
	refused("without tensors", func(a *artefact.Artefact) { a.Tensors = nil })
	for _, name := range slices.Sorted(maps.Keys(m.Artefact().Tensors)) {
		refused("without "+name, func(a *artefact.Artefact) { delete(a.Tensors, name) })
		refused("a flat "+name, func(a *artefact.Artefact) {
			tensor := a.Tensors[name]
			tensor.Shape = append([]int{1}, tensor.Shape...)
			a.Tensors[name] = tensor
		})
		refused("cut "+name, func(a *artefact.Artefact) { a.Tensors[name] = cut(a.Tensors[name]) })
		if len(m.Artefact().Tensors[name].F32) > 0 {
			refused("NaN in "+name, func(a *artefact.Artefact) { a.Tensors[name].F32[0] = float32(math.NaN()) })
		}
		s.pointers(t, m, name)
	}
	// Settings may be there for people only; without them nothing may break.
	for name := range m.Artefact().Settings {
		for _, value := range []string{"", "-1", "0", "999999999", "x", "NaN"} {
			a := clone(m.Artefact())
			a.Settings[name] = value
			s.harmless(t, "setting "+name+" = "+value, a)
		}
	}
}

// pointers puts wrong numbers into a tensor of whole numbers.
func (s Suite) pointers(t *testing.T, m learn.Model, name string) {
	n := len(m.Artefact().Tensors[name].I32)
	for _, at := range []int{0, n / 2, n - 1} {
		for _, v := range []int32{-1, math.MaxInt32, math.MinInt32, 999} {
			if n > 0 {
				a := clone(m.Artefact())
				a.Tensors[name].I32[at] = v
				s.harmless(t, name, a)
			}
		}
	}
}

// harmless: an artefact is refused, or the model of it answers.
func (s Suite) harmless(t *testing.T, what string, a artefact.Artefact) {
	t.Helper()
	m, err := s.Load(a)
	if err != nil {
		if !invalid(err) {
			t.Errorf("%s: %v, want ErrInvalid", what, err)
		}
		return
	}
	out := make([]float32, m.Items())
	m.Score(learn.History{Items: []int32{0, 3, 17, 31}}, out)
}

// cut takes the last row off a tensor, or its only number.
func cut(t artefact.Tensor) artefact.Tensor {
	t.Shape = slices.Clone(t.Shape)
	row := 1
	for _, side := range t.Shape[1:] {
		row *= side
	}
	t.Shape[0]--
	t.F32 = t.F32[:max(0, len(t.F32)-row)]
	t.I32 = t.I32[:max(0, len(t.I32)-row)]
	t.I8 = t.I8[:max(0, len(t.I8)-row)]
	return t
}

func clone(a artefact.Artefact) artefact.Artefact {
	a.Settings = maps.Clone(a.Settings)
	tensors := map[string]artefact.Tensor{}
	for name, t := range a.Tensors {
		t.F32, t.I32, t.I8 = slices.Clone(t.F32), slices.Clone(t.I32), slices.Clone(t.I8)
		tensors[name] = t
	}
	a.Tensors = tensors
	return a
}
