package train

import (
	"bytes"
	"testing"

	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/bundle"
	"upnext/learn/collab"
	"upnext/learn/sequence"
	"upnext/learn/split"
)

// TestShrink: a network and sparse weights go on in 8 bits with both of their
// numbers told, are stored and read so, and take less; a closed form of whole weights
// stays as it is.
func TestShrink(t *testing.T) {
	log := learn.Log{Items: 40}
	for v := range 200 { // what follows an item is the next one
		h := learn.History{}
		for i := range 8 {
			h.Items = append(h.Items, int32((v+i)%40))
		}
		log.Viewers = append(log.Viewers, h)
	}
	rest, cases := split.LeaveLast(log, 1)
	f := sequence.GRU{Dim: 16, Hidden: 16, Length: 10, Training: sequence.Training{Epochs: 4, Batch: 16, Seed: 1}}
	for _, fitter := range []learn.Fitter{f, collab.SparseEASE{Neighbours: 8}, collab.EASE{}} {
		sizes := map[bool]int{}
		m, err := fitter.Fit(t.Context(), rest, nil)
		if err != nil {
			t.Fatal(err)
		}
		metrics, err := measure(t.Context(), m, cases, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := &fitted{fitter.Name(), m, bundle.Part{Name: fitter.Name(), Metrics: metrics}}
		if err := p.shrink(t.Context(), cases, func(string, learn.Step) {}); err != nil {
			t.Fatal(err)
		}
		if fitter.Name() == "ease" {
			if p.model != m || p.part.Exact != nil {
				t.Error("EASE was shrunk")
			}
			continue
		}
		if p.part.Exact == nil || *p.part.Exact != metrics || !allows(metrics, p.part.Metrics) {
			t.Fatalf("got %+v, exact %+v, measured %+v", p.part.Metrics, p.part.Exact, metrics)
		}
		for _, m := range []learn.Model{m, p.model} {
			var stored bytes.Buffer
			if err := m.Artefact().Write(&stored); err != nil {
				t.Fatal(err)
			}
			sizes[m == p.model] = stored.Len()
			a, err := artefact.Read(&stored)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Load(a)
			if err != nil {
				t.Fatal(err)
			}
			got, want := make([]float32, 40), make([]float32, 40)
			if m.Score(cases[0].History, want); !again.Score(cases[0].History, got) || got[3] != want[3] {
				t.Errorf("read back: got %v, want %v", got[3], want[3])
			}
		}
		if sizes[true] >= sizes[false] {
			t.Errorf("%s in 8 bits has %d bytes, %d before", fitter.Name(), sizes[true], sizes[false])
		}
	}
	if allows(bundle.Metrics{NDCG10: .2}, bundle.Metrics{NDCG10: .19}) || !allows(bundle.Metrics{NDCG10: .2}, bundle.Metrics{NDCG10: .1985}) {
		t.Error("5 % is allowed, or less than 1 % is not")
	}
}
