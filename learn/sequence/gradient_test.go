package sequence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"upnext/learn/kernel"
)

// small are networks of odd sizes, so that every tail of a kernel is met.
func small(t *testing.T, items int) map[string]network {
	t.Helper()
	s, err := SASRec{Dim: 20, Blocks: 2, Heads: 2, Hidden: 27, Length: 40}.network(items)
	if err != nil {
		t.Fatal(err)
	}
	g, err := GRU{Dim: 20, Hidden: 27, Length: 40}.network(items)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]network{"sasrec": s, "gru": g}
}

func randomRuns(rng *rand.Rand, items int, lengths ...int) [][]int32 {
	runs := make([][]int32, len(lengths))
	for i, n := range lengths {
		for range n {
			runs[i] = append(runs[i], int32(rng.IntN(items)))
		}
	}
	return runs
}

// The gradient of each block of weights is compared with the change of the loss
// along it, and along a random direction.
func TestGradients(t *testing.T) {
	const items = 150
	for name, net := range small(t, items) {
		for _, negatives := range []int{0, 30} {
			rng := rand.New(rand.NewPCG(3, 3))
			v := newWeights(net.layout(), true)
			net.initial(v.w, rng)
			for i := range v.w {
				v.w[i] += float32(rng.NormFloat64() * .1)
			}
			p, h := net.pass(v, 200), newHead(kernel.Best(), v, items, net.dim(), negatives)
			counts := make([]int, items)
			for i := range counts {
				counts[i] = i % 5
			}
			s := newSample(counts, negatives, net.dim())
			var b batch
			b.pack(randomRuns(rng, items, 41, 41, 28, 26, 8, 2), net.stepwise(), true)
			gh := make([]float32, b.rows()*net.dim())
			loss := func(g []float32) float64 {
				v.turn()
				hidden := p.forward(&b, false)
				if negatives == 0 {
					return h.full(hidden, gh, &b, 1, g)
				}
				s.draw(rand.New(rand.NewPCG(4, 4)), v, net.dim())
				return h.sampled(s, hidden, gh, &b, 1, g)
			}
			g, unused := make([]float32, len(v.w)), make([]float32, len(v.w))
			loss(g)
			p.backward(&b, gh, g)
			own := slices.Clone(v.w)
			for _, part := range net.layout().blocks {
				for _, random := range []bool{false, true} {
					direction := slices.Clone(g[part.at:][:part.n])
					if random {
						for i := range direction {
							direction[i] = float32(rng.NormFloat64())
						}
					}
					size, want := 0., 0.
					for i, x := range direction {
						size += float64(x) * float64(x)
						want += float64(x) * float64(g[part.at+i])
					}
					size = math.Sqrt(size)
					want /= size
					along := func(step float64) float64 {
						copy(v.w, own)
						for i, x := range direction {
							v.w[part.at+i] += float32(step * float64(x) / size)
						}
						return loss(unused)
					}
					const step = 2e-3
					got := (along(step) - along(-step)) / (2 * step)
					copy(v.w, own)
					if math.Abs(got-want) > 2.5e-2*math.Abs(want)+4e-2 {
						t.Errorf("%s, %d negatives, %s (random %v): the loss changes by %v, its gradient says %v", name, negatives, part.name, random, got, want)
					}
				}
			}
		}
	}
}

// With dropout the same masks must serve forward and back: the noise is fixed
// by the batch's seed, so the loss is still a function to be differentiated.
func TestGradientsUnderDropout(t *testing.T) {
	const items = 60
	for name, net := range small(t, items) {
		switch n := net.(type) {
		case *sasrec:
			n.rate = .3
		case *gru:
			n.rate = .3
		}
		rng := rand.New(rand.NewPCG(5, 5))
		v := newWeights(net.layout(), true)
		net.initial(v.w, rng)
		for i := range v.w {
			v.w[i] += float32(rng.NormFloat64() * .1)
		}
		p, h := net.pass(v, 100), newHead(kernel.Best(), v, items, net.dim(), 0)
		var b batch
		b.pack(randomRuns(rng, items, 30, 12, 5), net.stepwise(), true)
		b.noise = 77
		gh, g := make([]float32, b.rows()*net.dim()), make([]float32, len(v.w))
		loss := func(g []float32) float64 {
			v.turn()
			return h.full(p.forward(&b, true), gh, &b, 1, g)
		}
		loss(g)
		p.backward(&b, gh, g)
		own, want := slices.Clone(v.w), 0.
		for _, x := range g {
			want += float64(x) * float64(x)
		}
		want = math.Sqrt(want)
		along := func(step float64) float64 {
			for i, x := range g {
				v.w[i] = own[i] + float32(step*float64(x)/want)
			}
			return loss(make([]float32, len(g)))
		}
		const step = 1e-2
		if got := (along(step) - along(-step)) / (2 * step); math.Abs(got-want) > 2e-2*want {
			t.Errorf("%s: the loss changes by %v, its gradient says %v", name, got, want)
		}
	}
}

// The push is to where the loss rises, and for one pass only.
func TestPushHurts(t *testing.T) {
	const items = 60
	for name, net := range small(t, items) {
		rng := rand.New(rand.NewPCG(6, 6))
		v := newWeights(net.layout(), true)
		net.initial(v.w, rng)
		v.turn()
		p, h := net.pass(v, 100), newHead(kernel.Best(), v, items, net.dim(), 0)
		var b batch
		b.pack(randomRuns(rng, items, 30, 12, 5), net.stepwise(), true)
		gh, g := make([]float32, b.rows()*net.dim()), make([]float32, len(v.w))
		loss := func() float64 { return h.full(p.forward(&b, true), gh, &b, 1, g) }
		before := loss()
		p.backward(&b, gh, g)
		p.push(&b, .3)
		pushed, after := loss(), loss()
		if pushed < before+.01 || after != before {
			t.Errorf("%s: the loss is %v, pushed %v, then %v", name, before, pushed, after)
		}
	}
}
