package logit

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"upnext"
)

// TestFit: many rows tell the weights that made them, few leave the prior, and the
// gradient is 0 where it ends.
func TestFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	truth, prior, strength := []float64{1.5, -2, 0.5, 0}, []float64{0, 0, 0, 1}, []float64{1, 1, 1, 1}
	make := func(n int) (rows []Row) {
		for range n {
			r := Row{X: []float64{rng.NormFloat64(), rng.Float64(), 1, 0}}
			z := 0.0
			for k, x := range r.X {
				z += truth[k] * x
			}
			r.Y = rng.Float64() < 1/(1+math.Exp(-z))
			rows = append(rows, r)
		}
		return rows
	}
	rows := make(20_000)
	got, err := Fit(t.Context(), rows, prior, strength)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{1.5, -2, 0.5, 1} { // nothing speaks of the last
		if math.Abs(got[k]-want) > 0.12 {
			t.Errorf("weight %d is %.3f, want %.3f", k, got[k], want)
		}
	}
	for k := range got {
		g := strength[k] * (got[k] - prior[k])
		for _, r := range rows {
			z := 0.0
			for j, x := range r.X {
				z += got[j] * x
			}
			p := 1 / (1 + math.Exp(-z))
			if r.Y {
				p--
			}
			g += p * r.X[k]
		}
		if math.Abs(g) > 0.5 { // of 20,000 rows
			t.Errorf("the gradient in weight %d is %.3f", k, g)
		}
	}
	few, err := Fit(t.Context(), make(3), []float64{1, 1, 1, 1}, []float64{1000, 1000, 1000, 1000})
	if err != nil {
		t.Fatal(err)
	}
	for k, w := range few {
		if math.Abs(w-1) > 0.01 {
			t.Errorf("three rows move weight %d to %.3f", k, w)
		}
	}
	for name, rows := range map[string][]Row{"short": {{X: []float64{1}}}, "no number": {{X: []float64{math.NaN(), 0, 0, 0}}}} {
		if _, err := Fit(t.Context(), rows, prior, strength); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
