package content_test

import (
	"bytes"
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
