package collab

import "testing"

func TestMeasureEASE(t *testing.T) {
	s := sequences(t, ml1m, 1, 2)
	s.report(t, "ease", EASE{})
	sequences(t, ml1m, 1, 1).report(t, "ease refit", EASE{})
}

func TestMeasureRidge(t *testing.T) {
	sequences(t, ml1m, 1, 1).report(t, "ridge refit", Ridge{})
}
