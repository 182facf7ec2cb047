package sequence

import (
	"math/rand/v2"
	"slices"
	"testing"

	"upnext/learn"
	"upnext/learn/kernel"
)

// randomModel has weights far from any symmetry.
func randomModel(net network, items int) *Model {
	rng := rand.New(rand.NewPCG(2, 2))
	v := newWeights(net.layout(), true)
	net.initial(v.w, rng)
	for i := range v.w {
		v.w[i] += float32(rng.NormFloat64() * .1)
	}
	return newModel(net, v, nil)
}

// A state that was advanced act by act is, to the bit, the one that reads the
// whole history, across every remaking of it; and both agree with the forward
// pass that the model is trained by.
func TestStateIsTheForwardPass(t *testing.T) {
	const items = 50
	for name, net := range small(t, items) {
		m := randomModel(net, items)
		acts := randomRuns(rand.New(rand.NewPCG(3, 3)), items, 130)[0]
		s := m.Start(learn.History{})
		if s.Vector() != nil {
			t.Errorf("%s: a vector of nothing", name)
		}
		p := net.pass(m.v, 40)
		length, hop := net.window()
		got, want := make([]float32, items), make([]float32, items)
		for n := 1; n <= len(acts); n++ {
			s.Advance(acts[n-1])
			s.Advance(items + 5) // not known: nothing
			if !s.Score(got) || !m.Score(learn.History{Items: acts[:n]}, want) || !slices.Equal(got, want) {
				t.Fatalf("%s after %d: got %v, want %v", name, n, got[:4], want[:4])
			}
			var b batch
			read := acts[begin(n, length, hop):n]
			if len(read) > length || n >= length && len(read) <= length-hop {
				t.Fatalf("%s after %d: %d are read", name, n, len(read))
			}
			b.pack([][]int32{read}, net.stepwise(), false)
			hidden := p.forward(&b, false)[b.last[0]*net.dim():][:net.dim()]
			x := s.Vector()
			for i, v := range hidden {
				if d := v - x[i]; d > 1e-4 || d < -1e-4 {
					t.Fatalf("%s after %d: got the vector %v, want %v", name, n, x, hidden)
				}
			}
		}
	}
}

// Runs that are packed together do not see one another.
func TestPackedRunsAreApart(t *testing.T) {
	const items = 50
	for name, net := range small(t, items) {
		m := randomModel(net, items)
		runs := randomRuns(rand.New(rand.NewPCG(4, 4)), items, 40, 39, 13, 13, 1)
		var b batch
		b.pack(runs, net.stepwise(), false)
		hidden := slices.Clone(net.pass(m.v, 200).forward(&b, false))
		for i, run := range runs {
			got, want := hidden[b.last[i]*net.dim():][:net.dim()], m.Start(learn.History{Items: run}).Vector()
			for j := range want {
				if d := got[j] - want[j]; d > 1e-4 || d < -1e-4 {
					t.Fatalf("%s: run %d: got %v, want %v", name, i, got, want)
				}
			}
		}
	}
}

// Scores may be asked for by many at once.
func TestScoreAtOnce(t *testing.T) {
	const items = 50
	for name, net := range small(t, items) {
		m := randomModel(net, items)
		runs := randomRuns(rand.New(rand.NewPCG(5, 5)), items, 1, 10, 20, 30, 40, 50, 60, 70)
		kernel.Parallel(8, 8, 1, func(_, from, to int) {
			want, got := make([]float32, items), make([]float32, items)
			for _, run := range runs[from:to] {
				m.Start(learn.History{Items: run}).Score(want)
				for range 20 {
					if m.Score(learn.History{Items: run}, got); !slices.Equal(got, want) {
						t.Errorf("%s: got %v, want %v", name, got[:3], want[:3])
						return
					}
				}
			}
		})
	}
}

// At the size of ML-1M: a whole history of 200, and one act more.
func BenchmarkServe(b *testing.B) {
	const items = 3416
	s, err := SASRec{}.network(items)
	if err != nil {
		b.Fatal(err)
	}
	g, err := GRU{}.network(items)
	if err != nil {
		b.Fatal(err)
	}
	acts := randomRuns(rand.New(rand.NewPCG(6, 6)), items, 200)[0]
	for _, net := range []network{s, g} {
		m, scores := randomModel(net, items), make([]float32, items)
		b.Run(m.Name()+"/whole", func(b *testing.B) {
			for b.Loop() {
				m.Score(learn.History{Items: acts}, scores)
			}
		})
		b.Run(m.Name()+"/advance", func(b *testing.B) {
			state := m.Start(learn.History{Items: acts[:150]})
			for b.Loop() {
				state.Advance(acts[state.acts%200])
			}
		})
		b.Run(m.Name()+"/score", func(b *testing.B) {
			state := m.Start(learn.History{Items: acts})
			for b.Loop() {
				state.Score(scores)
			}
		})
		b.Run(m.Name()+"/score8", func(b *testing.B) {
			state := m.Quantised().Start(learn.History{Items: acts})
			for b.Loop() {
				state.Score(scores)
			}
		})
	}
}
