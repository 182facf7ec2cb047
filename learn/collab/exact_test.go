package collab

import (
	"math"
	"math/rand/v2"
	"testing"

	"upnext/learn"
	"upnext/learn/matrix"
)

// drawn is a small log with popular and rare items.
func drawn(items, viewers int) learn.Log {
	rng := rand.New(rand.NewPCG(5, 6))
	log := learn.Log{Items: items}
	for range viewers {
		var h learn.History
		for range 2 + rng.IntN(9) {
			h.Items = append(h.Items, int32(float64(items)*rng.Float64()*rng.Float64()))
		}
		log.Viewers = append(log.Viewers, h)
	}
	return log
}

func fitted[M learn.Model](t testing.TB, f learn.Fitter, log learn.Log) M {
	t.Helper()
	m, err := f.Fit(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.(M)
}

// Column j of EASE's B solves (G+λI)_-j,-j·b = G_-j,j: the regression of item j
// on all others.
func TestEASEIsARegression(t *testing.T) {
	const n, lambda = 150, 7
	log := drawn(n, 900)
	b := fitted[*linear](t, EASE{Lambda: lambda}, log).weights.value
	g, err := matrix.Gram(t.Context(), takes(log))
	if err != nil {
		t.Fatal(err)
	}
	for j := range n {
		if b[j*n+j] != 0 {
			t.Fatalf("item %d predicts itself by %v", j, b[j*n+j])
		}
		for i := range n {
			if i == j {
				continue
			}
			sum := lambda * float64(b[i*n+j])
			for k := range n {
				sum += float64(g[i*n+k]) * float64(b[k*n+j])
			}
			if want := float64(g[i*n+j]); math.Abs(sum-want) > 1e-3 {
				t.Fatalf("item %d of the regression of %d: got %v, want %v", i, j, sum, want)
			}
		}
	}
}

// The factors that a half step gives make the objective's gradient zero.
func TestIALSHalfStepIsExact(t *testing.T) {
	const d = 5
	log := drawn(40, 60)
	s := IALS{Factors: d, Alpha: .2, Lambda: .05, Nu: .7, Seed: 3}.withDefaults()
	taken := takes(log)
	h, w := s.start(log.Items), make([]float32, len(log.Viewers)*d)
	by := s.regularise(taken)
	if err := newHalfStep(s.Alpha, by, d, 0).solve(t.Context(), taken, h, w); err != nil {
		t.Fatal(err)
	}
	near := make([]float32, len(w))
	if err := newHalfStep(s.Alpha, by, d, d+2).solve(t.Context(), taken, h, near); err != nil {
		t.Fatal(err)
	}
	for i := range w {
		if math.Abs(float64(near[i]-w[i])) > 1e-4 {
			t.Fatalf("factor %d: conjugate gradients give %v, the exact solution is %v", i, near[i], w[i])
		}
	}
	for v := range log.Viewers {
		own := w[v*d : (v+1)*d]
		gradient := make([]float64, d)
		n := float64(taken.Start[v+1] - taken.Start[v])
		scaled := s.Lambda * math.Pow(n+s.Alpha*float64(log.Items), s.Nu)
		for k := range d {
			gradient[k] = scaled * float64(own[k])
		}
		add := func(item int, weight, target float64) {
			var y float64
			for k := range d {
				y += float64(own[k]) * float64(h[item*d+k])
			}
			for k := range d {
				gradient[k] += weight * (y - target) * float64(h[item*d+k])
			}
		}
		for i := range log.Items {
			add(i, s.Alpha, 0)
		}
		columns, _ := taken.Row(v)
		for _, i := range columns {
			add(int(i), 1, 1)
		}
		for k, g := range gradient {
			if math.Abs(g) > 1e-5 {
				t.Fatalf("viewer %d: gradient %d is %v", v, k, g)
			}
		}
	}
}

// A viewer asks with the history they were fitted with: the factors are those
// of fitting.
func TestIALSFoldsIn(t *testing.T) {
	log := drawn(40, 60)
	s := IALS{Factors: 6, Epochs: 3, Lambda: .02}.withDefaults()
	m := fitted[*factorModel](t, s, log)
	taken := takes(log)
	w := make([]float32, len(log.Viewers)*6)
	if err := newHalfStep(s.Alpha, s.regularise(taken), 6, 0).solve(t.Context(), taken, m.items, w); err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, log.Items)
	for v, h := range log.Viewers {
		m.Score(h, scores)
		for i, got := range scores {
			var want float64
			for k := range 6 {
				want += float64(w[v*6+k]) * float64(m.items[i*6+k])
			}
			if math.Abs(float64(got)-want) > 1e-5 {
				t.Fatalf("viewer %d, item %d: got %v, want %v", v, i, got, want)
			}
		}
	}
}

// The filter scores what its formula says, of all eigenvectors and pairs.
func TestGraphFilterIsItsFormula(t *testing.T) {
	const n, k = 30, 6
	log := drawn(n, 80)
	f := GraphFilter{Factors: k, Sweeps: 60, Neighbours: n, Alpha: .4, Sharpen: 1.5}
	m := fitted[*filterModel](t, f, log)
	taken := takes(log)
	degree := degrees(taken)
	normalise(taken, degree)
	p, err := matrix.Gram(t.Context(), taken)
	if err != nil {
		t.Fatal(err)
	}
	wide := make([]float64, len(p))
	for i, v := range p {
		wide[i] = float64(v)
	}
	values, v := matrix.Eigen(wide, n)
	scores := make([]float32, n)
	for _, h := range log.Viewers[:20] {
		m.Score(h, scores)
		taken := make([]float64, n)
		for _, i := range h.Items {
			taken[i] = 1
		}
		y := make([]float64, n)
		for i, x := range taken {
			for j := range n {
				y[j] += x * float64(p[i*n+j])
				for e := range k {
					if degree[i] > 0 {
						y[j] += .4 * x * v[e*n+i] * v[e*n+j] * math.Sqrt(degree[j]/degree[i])
					}
				}
			}
		}
		want := append([]float64(nil), y...)
		for e := range k {
			x := 1.5 * values[e]
			var along float64
			for j := range n {
				along += y[j] * v[e*n+j]
			}
			for j := range n {
				want[j] += along * v[e*n+j] * (-x + x*x/2 - x*x*x/6 + x*x*x*x/24)
			}
		}
		for j := range n {
			if math.Abs(float64(scores[j])-want[j]) > 2e-3 {
				t.Fatalf("history %v, item %d: got %v, want %v", h.Items, j, scores[j], want[j])
			}
		}
	}
}
