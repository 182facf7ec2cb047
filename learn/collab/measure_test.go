package collab

import (
	"fmt"
	"testing"
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
	for _, alpha := range []float64{.2, .3, .5, .8} {
		for _, sharp := range []float64{1.5, 2.5} {
			set := m.filterSettings
			set.Alpha, set.Sharpen = alpha, sharp
			m2 := newFilter(set, m.linear, m.values, m.vectors, m.roots)
			r, n, each := s.measured(m2)
			t.Log(alpha, sharp, r, n, each)
		}
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
