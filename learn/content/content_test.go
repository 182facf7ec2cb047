package content_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/content"
	"upnext/learn/ranking"
)

func history(items ...int32) learn.History { return learn.History{Items: items} }

func TestNearest(t *testing.T) {
	log := learn.Log{Items: 6, Viewers: []learn.History{history(0)}}
	// Two worlds behind one offset that all share, and an item of which nothing is known.
	vectors := [][]float32{{9, 1, 0}, {9, 1, .2}, {9, -1, 0}, {9, -1, -.2}, {9, .9, .1}, nil}
	m, err := content.Nearest{Vectors: vectors, Decay: 1}.Fit(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		history learn.History
		first   []int32 // in any order
	}{
		{history(0), []int32{0, 1, 4}},
		{history(2, 5), []int32{2, 3}},
		{history(0, 2), []int32{2, 3}}, // the newest weighs more
	}
	scores := make([]float32, 6)
	for _, test := range tests {
		if !m.Score(test.history, scores) {
			t.Errorf("%v: silent", test.history)
			continue
		}
		got := ranking.Best(scores, len(test.first))
		if slices.Sort(got); !slices.Equal(got, test.first) {
			t.Errorf("%v: got %v first, want %v; scores %v", test.history, got, test.first, scores)
		}
	}
	for _, h := range []learn.History{history(), history(5)} {
		if m.Score(h, scores) {
			t.Errorf("%v: got an answer of nothing", h)
		}
	}
	var stored bytes.Buffer
	if err := m.Artefact().Write(&stored); err != nil {
		t.Fatal(err)
	}
	read, err := artefact.Read(&stored)
	if err != nil {
		t.Fatal(err)
	}
	again, err := content.Load(read)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 6)
	m.Score(history(1, 2), scores)
	if again.Score(history(1, 2), got); !slices.Equal(got, scores) {
		t.Errorf("loaded: got %v, want %v", got, scores)
	}
	read.Version++
	if _, err := content.Load(read); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("another version: got %v", err)
	}
}

// known is a model whose scores the test gives.
type known []float32

func (k known) Name() string                                                     { return "known" }
func (k known) Items() int                                                       { return len(k) }
func (k known) Artefact() artefact.Artefact                                      { return artefact.Artefact{} }
func (k known) Fit(context.Context, learn.Log, learn.Watch) (learn.Model, error) { return k, nil }
func (k known) Score(h learn.History, scores []float32) bool {
	copy(scores, k)
	return len(h.Items) > 0
}

// Behaviour is a line of the content, and so is told of an item without acts.
func TestSpread(t *testing.T) {
	const items = 50
	vectors, scores := make([][]float32, items), make(known, items)
	log := learn.Log{Items: items, Viewers: []learn.History{{}}}
	for i := range items {
		angle := float64(i) / 8
		vectors[i] = []float32{float32(math.Cos(angle)), float32(math.Sin(angle))}
		scores[i] = 3*vectors[i][0] - vectors[i][1] + 5
		if i != 20 {
			log.Viewers[0].Items = append(log.Viewers[0].Items, int32(i))
		}
	}
	scores[20] = -1000 // of what nobody took to the model knows nothing
	f := content.Spread{Of: scores, Vectors: vectors, Lambda: 1e-4}
	m, err := f.Fit(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, items)
	if !m.Score(history(1), got) || m.Score(history(), got) {
		t.Fatal("not silent where the model below is, and there alone")
	}
	m.Score(history(1), got)
	want := float64(3*vectors[20][0] - vectors[20][1] + 5)
	if math.Abs(float64(got[20])-want) > .2 {
		t.Errorf("item 20: got %v, want about %v", got[20], want)
	}
	var stored bytes.Buffer
	if err := m.Artefact().Write(&stored); err != nil {
		t.Fatal(err)
	}
	read, err := artefact.Read(&stored)
	if err != nil {
		t.Fatal(err)
	}
	again, err := content.LoadSpread(read, scores)
	if err != nil {
		t.Fatal(err)
	}
	loaded := make([]float32, items)
	if again.Score(history(1), loaded); !slices.Equal(loaded, got) {
		t.Errorf("loaded: got %v, want %v", loaded, got)
	}
	if _, err := content.LoadSpread(read, m); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("over another model: got %v, want ErrInvalid", err)
	}
	if _, err := content.LoadSpread(read, scores[:9]); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("over fewer items: got %v, want ErrInvalid", err)
	}
	f.Lambda = 0
	if _, err := f.Fit(t.Context(), log, nil); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("λ 0: got %v, want ErrInvalid", err)
	}
}

func TestBad(t *testing.T) {
	log := learn.Log{Items: 2, Viewers: []learn.History{history(0)}}
	nan := float32(math.NaN())
	for name, vectors := range map[string][][]float32{
		"too few": {{1, 2}}, "unequal": {{1, 2}, {1}}, "none": {nil, nil}, "NaN": {{1, 2}, {1, nan}},
	} {
		if _, err := (content.Nearest{Vectors: vectors}).Fit(t.Context(), log, nil); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := (content.Nearest{}).Fit(t.Context(), learn.Log{}, nil); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("an empty log: got %v, want ErrInvalid", err)
	}
}
