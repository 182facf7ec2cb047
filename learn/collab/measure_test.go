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
		{Lambda: 50, Even: .5}, {Lambda: 20, Dropout: .3}, {Lambda: 20, Even: .5, Dropout: .3}, {Lambda: 20, Even: 1, Dropout: .3}, {Lambda: 20, Even: .5, Dropout: .5},
	} {
		f.Neighbours, f.Decay = 200, Decay{Weight: 1}
		s.report(t, fmt.Sprintf("valid sparse ease %+v", f), f)
	}
}

func TestMeasureIALSValid(t *testing.T) {
	s := gowalla(t, 10)
	s.every = 10
	for _, f := range []IALS{
		{Factors: 128, Alpha: .1, Lambda: .003, Epochs: 8}, {Factors: 128, Alpha: .03, Lambda: .003, Epochs: 8}, {Factors: 128, Alpha: .1, Lambda: .01, Epochs: 8},
		{Factors: 128, Alpha: .3, Lambda: .003, Epochs: 8}, {Factors: 128, Alpha: .03, Lambda: .01, Epochs: 8}, {Factors: 128, Alpha: .03, Lambda: .03, Epochs: 8},
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
	for _, c := range [][2]int{{64, 0}, {64, 3}, {128, 0}, {128, 3}} {
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
