package bundle

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"upnext"
	"upnext/learn"
	"upnext/learn/collab"
	"upnext/learn/sequence"
)

// sequential is a bundle of EASE, SASRec and GRU over so many items.
func sequential(t testing.TB, version string, items int, seed uint64) *Bundle {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	log := learn.Log{Items: items}
	for range 60 {
		h := learn.History{}
		for range 6 {
			h.Items = append(h.Items, rng.Int32N(int32(items)))
		}
		log.Viewers = append(log.Viewers, h)
	}
	quick := sequence.Training{Epochs: 1, Batch: 16, Seed: seed}
	ids := make([]upnext.ItemID, items)
	for i := range ids {
		ids[i] = upnext.ItemID(rune('A' + i))
	}
	m := Manifest{Format: Format, Version: version}
	var models []learn.Model
	for i, f := range []learn.Fitter{
		collab.EASE{}, sequence.SASRec{Dim: 8, Blocks: 2, Heads: 2, Hidden: 16, Length: 12, Training: quick},
		sequence.GRU{Dim: 8, Hidden: 8, Length: 12, Training: quick},
	} {
		model, err := f.Fit(t.Context(), log, nil)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, model)
		m.Models = append(m.Models, Part{Name: f.Name(), Weight: 1 / float64(i+1)})
	}
	b, err := New(m, ids, models)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestReading: whatever becomes of a history between two questions and whichever
// bundle is asked, what was kept gives the scores, to the bit, of the whole
// history read at once.
func TestReading(t *testing.T) {
	const items = 20
	bundles := []*Bundle{sequential(t, "v1", items, 1), sequential(t, "v2", items, 2)}
	bundles = append(bundles, bundles[0].With(nil, nil))
	rapid.Check(t, func(rt *rapid.T) {
		var r *Reading
		var h learn.History
		item := rapid.Int32Range(0, items-1)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0: // an item is acted on again: it moves to the end
				if n := len(h.Items); n > 0 {
					at := rapid.IntRange(0, n-1).Draw(rt, "moved")
					h.Items = append(slices.Delete(slices.Clone(h.Items), at, at+1), h.Items[at])
				}
			case 1: // or taken back
				if n := len(h.Items); n > 0 {
					at := rapid.IntRange(0, n-1).Draw(rt, "gone")
					h.Items = slices.Delete(slices.Clone(h.Items), at, at+1)
				}
			default:
				h.Items = append(slices.Clone(h.Items), rapid.SliceOfN(item, 0, 3).Draw(rt, "acts")...)
			}
			b := bundles[0]
			if rapid.IntRange(0, 5).Draw(rt, "swapped") == 0 {
				b = rapid.SampledFrom(bundles).Draw(rt, "bundle")
			}
			got, want := make([]float32, items), make([]float32, items)
			told := b.ScoreAll(h, want)
			r = b.Read(r, h)
			if r.ScoreAll(h, got) != told || told && !slices.Equal(got, want) {
				rt.Fatalf("history %v: got %v, want %v", h.Items, got, want)
			}
		}
		if least := 4 * 2 * 2 * 8 * 12; r.Bytes() < least {
			rt.Fatalf("%d bytes, SASRec's keys and values alone take %d", r.Bytes(), least)
		}
	})
}

// TestNothingToRead: without a model that reads act by act there is nothing to
// keep, nor of one that the blend does not ask.
func TestNothingToRead(t *testing.T) {
	b, err := placing(t, nil, inTwo())
	if err != nil {
		t.Fatal(err)
	}
	if r := b.Read(nil, learn.History{Items: []int32{0}}); r != nil {
		t.Errorf("EASE: got a reading of %d bytes", r.Bytes())
	}
	s := sequential(t, "v1", 5, 1)
	m := s.Manifest
	m.Models = slices.Clone(m.Models)
	m.Models[1].Weight, m.Models[2].Weight = 0, 0
	silent, err := New(m, s.Items, s.Models)
	if err != nil {
		t.Fatal(err)
	}
	if r := silent.Read(nil, learn.History{Items: []int32{0}}); r != nil {
		t.Errorf("models of weight 0: got a reading of %d bytes", r.Bytes())
	}
}
