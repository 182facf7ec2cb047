//go:build unix

package collab

import (
	"fmt"
	"testing"
	"time"

	"upnext/learn"
)

func TestMeasureEASE(t *testing.T) {
	s := sequences(t, ml1m, 1, 2)
	s.report(t, "ease", EASE{})
	sequences(t, ml1m, 1, 1).report(t, "ease refit", EASE{})
}

func TestMeasureRidge(t *testing.T) {
	sequences(t, ml1m, 1, 1).report(t, "ridge refit", Ridge{})
}

func TestMeasureGraphValid(t *testing.T) {
	s := gowalla(t, 10)
	s.every = 10
	m := s.report(t, "valid graph", GraphFilter{Factors: 448}).(*filterModel)
	t.Log(len(m.linear.column), m.values[0], m.values[10], m.values[255])
	for _, alpha := range []float64{.1, .2, .3, .5} {
		for _, sharp := range []float64{0, 1.5, 2, 2.5} {
			set := m.filterSettings
			set.Alpha, set.Sharpen = alpha, sharp
			m2 := newFilter(set, m.linear, m.values, m.vectors, m.roots)
			r, n, each := s.measured(m2)
			t.Log(alpha, sharp, r, n, each)
		}
	}
}

func TestMeasureSparseValid(t *testing.T) {
	s := gowalla(t, 10)
	s.every = 10
	for _, f := range []SparseEASE{
		{Lambda: 50, Neighbours: 50}, {Lambda: 20, Neighbours: 80}, {Lambda: 100, Neighbours: 100}, {Lambda: 20, Neighbours: 100, Even: .3},
	} {
		f.Decay = Decay{Weight: 1}
		s.report(t, fmt.Sprintf("valid sparse ease %+v", f), f)
	}
}

func TestMeasureIALSValid(t *testing.T) {
	s := gowalla(t, 10)
	s.every = 10
	for _, f := range []IALS{
		{Factors: 128, Alpha: .01, Lambda: .003, Epochs: 8}, {Factors: 128, Alpha: .003, Lambda: .003, Epochs: 8}, {Factors: 128, Alpha: .003, Lambda: .01, Epochs: 8},
	} {
		s.report(t, fmt.Sprintf("valid ials %+v", f), f)
	}
}

// TestMeasureIALSEpoch tells the time of an epoch, beside that of the Python
// package implicit: see docs of the commit.
func TestMeasureIALSEpoch(t *testing.T) {
	s := sequences(t, ml1m, 1, 2)
	var at time.Time
	var cpu int64
	for _, c := range [][2]int{{64, -1}, {64, 3}, {128, -1}, {128, 3}} {
		d, steps := c[0], c[1]
		_, err := IALS{Factors: d, Steps: steps, Epochs: 9}.Fit(t.Context(), s.train, func(step learn.Step) {
			if step.Done == 2 { // warm
				at, cpu = time.Now(), processorTime()
			}
			if step.Done == 9 {
				fmt.Printf("ials %d factors, %d steps: epoch %.3fs wall, %.3fs cpu\n", d, steps, time.Since(at).Seconds()/7, float64(processorTime()-cpu)/7e9)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestMeasureIALSSteps(t *testing.T) {
	s := sequences(t, ml1m, 2, 2)
	for _, steps := range []int{-1, 2, 3} {
		f := IALS{Steps: steps, Decay: Decay{Tau: 20, Floor: .1}}
		s.report(t, fmt.Sprintf("valid ials %d steps", steps), f)
	}
}

// TestMeasureStorage tells what pruning and rounding lose, on validation.
func TestMeasureStorage(t *testing.T) {
	s := sequences(t, ml1m, 2, 2)
	for _, f := range []learn.Fitter{EASE{}, Ridge{}} {
		m := s.report(t, "valid "+f.Name(), f).(*linear)
		for _, storage := range []Storage{{Bytes: true}, {Keep: 1000}, {Keep: 500}, {Keep: 200}, {Keep: 500, Bytes: true}, {Keep: 200, Bytes: true}} {
			small := newLinear(m.kind, m.Items(), m.asker.decays, m.weights, storage)
			recall, ndcg, each := s.measured(small)
			fmt.Printf("valid %s %+v: %.4f %.4f score %v, %d MB\n", m.kind, storage, recall, ndcg, each,
				(4*len(small.weights.value)+len(small.weights.code)+4*len(small.weights.column))>>20)
		}
	}
}

func TestMeasureSparse(t *testing.T) {
	gowalla(t, 0).report(t, "TEST gowalla sparse ease", SparseEASE{Lambda: 50, Neighbours: 100, Decay: Decay{Weight: 1}})
}

func TestMeasureGraph(t *testing.T) {
	s := gowalla(t, 0)
	m := fitted[*filterModel](t, GraphFilter{Factors: 448}, s.train)
	for _, c := range [][2]float64{{.3, 0}, {.2, 2.5}, {.3, 2}} {
		set := m.filterSettings
		set.Alpha, set.Sharpen = c[0], c[1]
		r, n, each := s.measured(newFilter(set, m.linear, m.values, m.vectors, m.roots))
		fmt.Printf("TEST gowalla graph α %v sharpen %v: %.4f %.4f score %v\n", c[0], c[1], r, n, each)
	}
}
