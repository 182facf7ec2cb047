package collab

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
)

// What a history is drawn to gives a new item the score that the model gives an
// item at its place, also after the map was stored.
func TestToward(t *testing.T) {
	const items, dim = 40, 6
	log := drawn(items, 300)
	rng := rand.New(rand.NewPCG(3, 3))
	content := make([]float32, items*dim)
	for i := range content {
		content[i] = float32(rng.NormFloat64())
	}
	isNew := items - 1 // nobody took to it
	for v, h := range log.Viewers {
		log.Viewers[v].Items = slices.DeleteFunc(slices.Clone(h.Items), func(i int32) bool { return int(i) == isNew })
		log.Viewers[v].At = nil
	}
	for _, of := range []learn.Fitter{EASE{Lambda: 10}, Ridge{Lambda: 100}, IALS{Factors: 4, Lambda: .03}} {
		placed, err := ColdMap{Of: of, Content: content, Dim: dim}.Fit(t.Context(), log, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := of.Fit(t.Context(), log, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := m.(*factorModel); ok { // the viewer's factors as with the item in its place
			f.all = placed.(*factorModel).all
		}
		learned, err := ColdMap{Content: content, Dim: dim}.Learn(t.Context(), m, Acts(log))
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := learned.Artefact().Write(&file); err != nil {
			t.Fatal(err)
		}
		a, err := artefact.Read(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		p, err := LoadPlaces(a)
		if err != nil || !p.Fits(m) || p.Fits(fitted[learn.Model](t, Popular{}, log)) {
			t.Fatalf("%s: loaded %v, fits %v", of.Name(), err, p.Fits(m))
		}
		toward, want := make([]float32, p.Dim), make([]float32, items)
		for _, h := range log.Viewers[:40] {
			told := placed.Score(h, want)
			if p.Toward(m, h, toward) != told {
				t.Fatalf("%s, history %v: told %v, want %v", of.Name(), h.Items, !told, told)
			}
			if !told {
				continue
			}
			got := float64(toward[dim])
			for k, c := range content[isNew*dim : items*dim] {
				got += float64(toward[k]) * float64(c)
			}
			if math.Abs(got-float64(want[isNew])) > 1e-4*math.Max(1, math.Abs(got)) {
				t.Errorf("%s, history %v: %v, want %v", of.Name(), h.Items, got, want[isNew])
			}
		}
	}
}

func TestLoadPlaces(t *testing.T) {
	good := (&Places{Width: 2, Dim: 3, Map: make([]float32, 6)}).Artefact()
	if _, err := LoadPlaces(good); err != nil {
		t.Fatal(err)
	}
	with := func(v []float32, shape ...int) artefact.Artefact {
		bad := good
		bad.Tensors = map[string]artefact.Tensor{"map": artefact.Floats(v, shape...)}
		return bad
	}
	for name, bad := range map[string]artefact.Artefact{
		"another kind":    {Kind: "ease", Version: good.Version, Tensors: good.Tensors},
		"another version": {Kind: good.Kind, Version: good.Version + 1, Tensors: good.Tensors},
		"no map":          {Kind: good.Kind, Version: good.Version},
		"NaN":             with([]float32{0, float32(math.NaN()), 1, 2}, 2, 2),
		"one side":        with(make([]float32, 4), 4),
		"no content":      with(make([]float32, 4), 4, 1),
		"empty":           with(nil, 0, 4),
	} {
		if _, err := LoadPlaces(bad); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
