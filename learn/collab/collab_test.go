package collab

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"upnext"
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
		"sparse-ease":       SparseEASE{Lambda: 10, Neighbours: 24, Dropout: .2, Even: .5},
		"ridge":             Ridge{Lambda: 100},
		"ridge pruned":      Ridge{Lambda: 100, Storage: Storage{Keep: 24}},
		"ials":              IALS{Factors: 8, Lambda: .03},
		"ials in steps":     IALS{Factors: 8, Lambda: .03, Steps: 3, Decay: Decay{Tau: 20, Floor: .1}},
		"graphfilter":       GraphFilter{Factors: 4},
		"graphfilter sharp": GraphFilter{Factors: 4, Sharpen: 1, Decay: Decay{Tau: 4, Floor: .1}},
	}
}

// An item that nobody took to is put with those that it is like in content.
func TestColdMap(t *testing.T) {
	const items, cold = 30, 4 // even and odd items are two worlds; the last of each are new
	log := learn.Log{Items: items}
	rng := rand.New(rand.NewPCG(1, 1))
	for v := range 200 {
		var h learn.History
		for _, i := range rng.Perm((items - cold) / 2)[:6] {
			h.Items = append(h.Items, int32(2*i+v%2))
		}
		log.Viewers = append(log.Viewers, h)
	}
	const dim = 5
	content := make([]float32, items*dim)
	for i := range items {
		content[i*dim+i%2] = 1
		for k := range dim {
			content[i*dim+k] += float32(rng.NormFloat64()) / 5
		}
	}
	clear(content[:dim]) // one of the known has none
	for _, of := range []learn.Fitter{EASE{Lambda: 10}, IALS{Factors: 4, Lambda: .03}, Ridge{Lambda: 100}} {
		m, err := ColdMap{Of: of, Content: content, Dim: dim}.Fit(t.Context(), log, nil)
		if err != nil {
			t.Fatal(err)
		}
		scores := make([]float32, items)
		for v := range 2 {
			m.Score(learn.History{Items: []int32{int32(2 + v), int32(8 + v), int32(4 + v)}}, scores)
			for i := items - cold; i < items; i += 2 {
				if own, other := scores[i+v], scores[i+1-v]; own <= other {
					t.Errorf("%s, world %d: new item of it scores %v, of the other %v", of.Name(), v, own, other)
				}
			}
		}
	}
	for name, bad := range map[string]ColdMap{
		"too little content": {Of: EASE{}, Content: content[:9], Dim: dim},
		"pruned weights":     {Of: EASE{Storage: Storage{Keep: 3}}, Content: content, Dim: dim},
		"popularity":         {Of: Popular{}, Content: content, Dim: dim},
		"bad λ":              {Of: EASE{}, Content: content, Dim: dim, Lambda: -1},
	} {
		if _, err := bad.Fit(t.Context(), log, nil); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// With all items as neighbours the sparse form is the whole one.
func TestSparseEASEIsEASE(t *testing.T) {
	const n = 10 // of so few every pair has viewers
	log := drawn(n, 5000)
	whole, sparse := fitted[*linear](t, EASE{Lambda: 7, Dropout: .3, Even: .5}, log), fitted[*linear](t, SparseEASE{Lambda: 7, Neighbours: n - 1, Dropout: .3, Even: .5}, log)
	want, got := make([]float32, n), make([]float32, n)
	for _, h := range log.Viewers[:50] {
		whole.Score(h, want)
		sparse.Score(h, got)
		for i := range got {
			if math.Abs(float64(got[i]-want[i])) > 1e-4 {
				t.Fatalf("history %v, item %d: got %v, want %v", h.Items, i, got[i], want[i])
			}
		}
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
