package collab

import (
	"testing"
	"time"

	"upnext/learn"
	"upnext/learn/learntest"
)

// fitters are all the package's algorithms, as the suite sees them.
func fitters() map[string]learn.Fitter {
	return map[string]learn.Fitter{
		"popular":           Popular{HalfLife: 24 * time.Hour},
		"itemitem":          ItemItem{},
		"itemitem by time":  ItemItem{HalfLife: time.Hour, Neighbours: 12, Decay: Decay{HalfLife: time.Hour}},
		"itemitem in bytes": ItemItem{Storage: Storage{Bytes: true}},
		"ease":              EASE{Lambda: 10},
		"ease in bytes":     EASE{Lambda: 10, Storage: Storage{Bytes: true}},
		"ease pruned":       EASE{Lambda: 10, Storage: Storage{Keep: 12, Bytes: true}},
		"ridge":             Ridge{Lambda: 100},
		"ridge pruned":      Ridge{Lambda: 100, Storage: Storage{Keep: 24}},
		"ials":              IALS{Factors: 8, Lambda: .03},
		"graphfilter":       GraphFilter{Factors: 4},
		"graphfilter sharp": GraphFilter{Factors: 4, Sharpen: 1, Decay: Decay{Tau: 4, Floor: .1}},
	}
}

func TestFitters(t *testing.T) {
	for name, f := range fitters() {
		t.Run(name, func(t *testing.T) {
			_, impersonal := f.(Popular)
			learntest.Test(t, learntest.Suite{Fitter: f, Load: Load, Impersonal: impersonal})
		})
	}
}
