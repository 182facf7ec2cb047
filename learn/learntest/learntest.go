// Package learntest is the suite that every learn.Fitter and its models pass.
package learntest

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
)

// Suite is what is tested. Test fits some 15 small logs with it: settings for a
// test should make that a matter of seconds.
type Suite struct {
	Fitter learn.Fitter
	Load   func(artefact.Artefact) (learn.Model, error) // the package's

	// Impersonal says that the models answer every history alike, the empty one
	// too, as popularity does: they are not asked for a checkerboard.
	Impersonal bool
}

// Test runs the suite.
func Test(t *testing.T, s Suite) {
	t.Run("checkerboard", s.checkerboard)
	t.Run("repeats", s.repeats)
	t.Run("stored", s.stored)
	t.Run("concurrent", s.concurrent)
	t.Run("silent", s.silent)
	t.Run("bad logs", s.badLogs)
	t.Run("odd logs", s.oddLogs)
	t.Run("cancelled", s.cancelled)
	t.Run("foreign artefacts", s.foreign)
}

// fit is Fit of a log that can be learned from.
func (s Suite) fit(t *testing.T, log learn.Log) learn.Model {
	t.Helper()
	m, err := s.Fitter.Fit(t.Context(), log, nil)
	if err != nil {
		t.Fatalf("fit: %v", err)
	}
	if got, want := m.Items(), log.Items; got != want {
		t.Fatalf("%d items, want %d", got, want)
	}
	if got, want := m.Name(), s.Fitter.Name(); got != want {
		t.Fatalf("a model named %q, want %q", got, want)
	}
	return m
}

// scores is what a model says of a history, checked for being finite; nil where
// it says nothing.
func scores(t *testing.T, m learn.Model, h learn.History) []float32 {
	t.Helper()
	out := make([]float32, m.Items())
	if !m.Score(h, out) {
		return nil
	}
	for i, v := range out {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			t.Fatalf("%s: item %d scores %v after %d acts", m.Name(), i, v, len(h.Items))
		}
	}
	return out
}

// checkerboard: of two worlds that share neither items nor viewers, a history in
// one puts the items of it that it has not seen above all of the other's.
func (s Suite) checkerboard(t *testing.T) {
	if s.Impersonal {
		t.Skip("answers every history alike")
	}
	for name, timed := range map[string]bool{"in order": false, "with times": true} {
		b := board{items: 16, viewers: 80, acts: 10, timed: timed}
		m := s.fit(t, b.log(1))
		for i, h := range b.fresh(2, 20) {
			got := scores(t, m, h)
			if got == nil {
				t.Fatalf("%s: history %v says nothing", name, h.Items)
			}
			worstOwn, bestOther := b.margin(got, h)
			if worstOwn <= bestOther {
				t.Errorf("%s: history %d %v: its world's worst is %v, the other's best %v", name, i, h.Items, worstOwn, bestOther)
			}
		}
	}
}

// repeats: equal logs give equal artefacts to the bit, on one processor as on all.
func (s Suite) repeats(t *testing.T) {
	log := board{items: 16, viewers: 60, acts: 8, timed: true}.log(3)
	want := stored(t, s.fit(t, log).Artefact())
	if !bytes.Equal(stored(t, s.fit(t, log).Artefact()), want) {
		t.Error("the second fit gives another artefact")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if !bytes.Equal(stored(t, s.fit(t, log).Artefact()), want) {
		t.Error("one processor gives another artefact")
	}
}

// stored: a model read back scores what it scored.
func (s Suite) stored(t *testing.T) {
	b := board{items: 16, viewers: 60, acts: 8, timed: true}
	m := s.fit(t, b.log(4))
	a, err := artefact.Read(bytes.NewReader(stored(t, m.Artefact())))
	if err != nil {
		t.Fatal(err)
	}
	back, err := s.Load(a)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	if back.Name() != m.Name() || back.Items() != m.Items() {
		t.Fatalf("got %s of %d items, want %s of %d", back.Name(), back.Items(), m.Name(), m.Items())
	}
	for _, h := range b.fresh(5, 10) {
		if got, want := scores(t, back, h), scores(t, m, h); !slices.Equal(got, want) {
			t.Fatalf("history %v: got %v, want %v", h.Items, got, want)
		}
	}
}

// concurrent: eight goroutines get what one gets. Run it with -race.
func (s Suite) concurrent(t *testing.T) {
	b := board{items: 16, viewers: 60, acts: 8}
	m, histories := s.fit(t, b.log(6)), b.fresh(7, 16)
	var want [][]float32
	for _, h := range histories {
		want = append(want, scores(t, m, h))
	}
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			out := make([]float32, m.Items())
			for i, h := range histories {
				if !m.Score(h, out) || !slices.Equal(out, want[i]) {
					t.Errorf("history %d scores otherwise beside others", i)
				}
			}
		})
	}
	asking.Wait()
}

// silent: an empty history and one of items unknown to the model, as of a newer
// catalogue, say nothing; unknown items among known ones change nothing.
func (s Suite) silent(t *testing.T) {
	b := board{items: 16, viewers: 60, acts: 8}
	m := s.fit(t, b.log(8))
	if !s.Impersonal {
		for _, items := range [][]int32{nil, {}, {-1}, {int32(m.Items()), math.MaxInt32}} {
			if got := scores(t, m, learn.History{Items: items}); got != nil {
				t.Errorf("history %v: got %v, want no answer", items, got)
			}
		}
	}
	h := b.fresh(9, 1)[0]
	mixed := learn.History{Items: slices.Concat([]int32{-1, 1 << 20}, h.Items)}
	if got, want := scores(t, m, mixed), scores(t, m, learn.History{Items: h.Items}); !slices.Equal(got, want) {
		t.Errorf("unknown items before the known: got %v, want %v", got, want)
	}
}

// stored is an artefact's bytes.
func stored(t *testing.T, a artefact.Artefact) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := a.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// invalid reports whether err is the kind that bad input gives.
func invalid(err error) bool { return errors.Is(err, upnext.ErrInvalid) }
