package bundle

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/collab"
)

// placing is a bundle of EASE, with a map from content of two numbers, and a row.
func placing(t testing.TB, ease *collab.Places, content *Content) (*Bundle, error) {
	t.Helper()
	var log learn.Log
	log.Items = 4
	for v := range 40 {
		a := int32(v % 2 * 2)
		log.Viewers = append(log.Viewers, learn.History{Items: []int32{a, a + 1, int32(v % 4)}[:2+v%2]})
	}
	m, err := collab.EASE{Lambda: 10}.Fit(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ease == nil {
		rows := []float32{1, 0, .9, .1, 0, 1, .1, .9}
		if ease, err = (collab.ColdMap{Content: rows, Dim: 2, Lambda: .1}).Learn(t.Context(), m, collab.Acts(log)); err != nil {
			t.Fatal(err)
		}
	}
	return New(Manifest{Format: Format, Version: "v1", Models: []Part{{Name: "ease", Weight: 2}, {Name: "b", Weight: 1}}, Content: content},
		[]upnext.ItemID{"a", "b", "c", "d"}, []learn.Model{m, row{"b", []float32{1, 2, 3, 4}}}, ease)
}

func loadModel(a artefact.Artefact) (learn.Model, error) {
	if a.Kind == "b" {
		return loadRow(a)
	}
	return collab.Load(a)
}

func inTwo() *Content {
	return &Content{Collection: "two", Dim: 2, Places: []Placing{{Model: "ease"}}}
}

func TestPlaces(t *testing.T) {
	made, err := placing(t, nil, inTwo())
	if err != nil {
		t.Fatal(err)
	}
	raw := file(t, made)
	b, err := Read(bytes.NewReader(raw), loadModel)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(b.Content, made.Content) || b.Content.Places[0].Bytes == 0 {
		t.Errorf("content %+v, want %+v", b.Content, made.Content)
	}
	nan := float32(math.NaN())
	w := b.With([]upnext.ItemID{"like a", "NaN", "like c", "three", "none"}, [][]float32{{1, 0}, {nan, 0}, {0, 1}, {1, 0, 0}, nil})
	if got := w.Newcomers(); !slices.Equal(got, []upnext.ItemID{"like a", "like c"}) {
		t.Fatalf("newcomers %v, want those with vectors of two finite numbers", got)
	}
	if n, ok := w.Newcomer("like c"); n != 5 || !ok || len(b.Newcomers()) != 0 {
		t.Errorf("like c is %d, %v, and of the bundle itself %v", n, ok, b.Newcomers())
	}
	all, known := make([]float32, 6), make([]float32, 4)
	for a := range int32(2) {
		h := learn.History{Items: []int32{2 * a}}
		if !w.ScoreAll(h, all) || !b.Score(h, known) || !slices.Equal(all[:4], known) {
			t.Fatalf("of known items %v, want %v", all[:4], known)
		}
		if all[4+a] <= all[5-a] {
			t.Errorf("after item %d: like a %v, like c %v", 2*a, all[4], all[5])
		}
	}
	if !bytes.Equal(file(t, w), raw) {
		t.Error("newcomers are stored")
	}
	if n := sample(t).With([]upnext.ItemID{"x"}, [][]float32{{1, 0}}).Newcomers(); len(n) > 0 {
		t.Errorf("without content: newcomers %v", n)
	}
}

// On the blend's scale a newcomer at the place of a known item has its score.
func TestPlacesScale(t *testing.T) {
	exact, err := placing(t, nil, inTwo())
	if err != nil {
		t.Fatal(err)
	}
	a := exact.Models[0].Artefact()
	weights, _, err := a.Floats("weight", 4, 4)
	if err != nil {
		t.Fatal(err)
	}
	p := &collab.Places{Width: 4, Dim: 3, Map: make([]float32, 12)} // {1, 0} is item 1's place, {0, 1} item 3's
	for r := range 4 {
		p.Map[r*3], p.Map[r*3+1] = weights[r*4+1], weights[r*4+3]
	}
	b, err := placing(t, p, inTwo())
	if err != nil {
		t.Fatal(err)
	}
	m, w := b.Manifest, b.With([]upnext.ItemID{"1", "3"}, [][]float32{{1, 0}, {0, 1}})
	m.Content, m.Models = nil, []Part{{Name: "ease", Weight: 2}, {Name: "b"}}
	alone, err := New(m, b.Items, b.Models) // what the model without a map says is not said of newcomers
	if err != nil {
		t.Fatal(err)
	}
	got, want := make([]float32, 6), make([]float32, 4)
	h := learn.History{Items: []int32{0, 2}}
	w.ScoreAll(h, got)
	alone.Score(h, want)
	for i, known := range []int{1, 3} {
		if math.Abs(float64(got[4+i]-want[known])) > 1e-5 {
			t.Errorf("at the place of item %d: %v, want %v", known, got[4+i], want[known])
		}
	}
}

func TestPlacesMisfits(t *testing.T) {
	ok := &collab.Places{Width: 4, Dim: 3, Map: make([]float32, 12)}
	for name, of := range map[string]struct {
		places  *collab.Places
		content *Content
	}{
		"no content":       {ok, nil},
		"no collection":    {ok, &Content{Dim: 2, Places: []Placing{{Model: "ease"}}}},
		"another length":   {ok, &Content{Collection: "c", Dim: 3, Places: []Placing{{Model: "ease"}}}},
		"no such model":    {ok, &Content{Collection: "c", Dim: 2, Places: []Placing{{Model: "ials"}}}},
		"model without":    {ok, &Content{Collection: "c", Dim: 2, Places: []Placing{{Model: "b"}}}},
		"two of one":       {ok, &Content{Collection: "c", Dim: 2, Places: []Placing{{Model: "ease"}, {Model: "ease"}}}},
		"too wide":         {&collab.Places{Width: 5, Dim: 3, Map: make([]float32, 15)}, inTwo()},
		"another content":  {&collab.Places{Width: 4, Dim: 4, Map: make([]float32, 16)}, inTwo()},
		"said and missing": {ok, &Content{Collection: "c", Dim: 2}},
	} {
		if _, err := placing(t, of.places, of.content); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

// A map that is cut short or changed takes the whole bundle with it.
func TestPlacesDamaged(t *testing.T) {
	b, err := placing(t, nil, inTwo())
	if err != nil {
		t.Fatal(err)
	}
	raw := file(t, b)
	for n := 0; n < len(raw); n += 5 {
		if _, err := Read(bytes.NewReader(raw[:n]), loadModel); !errors.Is(err, upnext.ErrInvalid) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(raw), err)
		}
	}
	at := bytes.Index(raw, []byte(`"kind":"places"`))
	if at < 0 {
		t.Fatal("no map in the bundle")
	}
	bad := bytes.Clone(raw)
	bad[at+1] ^= 1
	if _, err := Read(bytes.NewReader(bad), loadModel); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("damaged: %v", err)
	}
	// NaN in a map whose checksum is right: Write does not look, Read does.
	b.places[0].Map[1] = float32(math.NaN())
	if _, err := Read(bytes.NewReader(file(t, b)), loadModel); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "places-ease") {
		t.Errorf("NaN in the map: %v", err)
	}
}
