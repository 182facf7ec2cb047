package blend_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/blend"
	"upnext/learn/ranking"
	"upnext/learn/relevance"
	"upnext/learn/split"
)

// table scores by the newest item of the history: a row an item. It is silent
// where the row is nil.
type table struct {
	name string
	rows [][]float32
}

func (m table) Name() string                { return m.name }
func (m table) Items() int                  { return len(m.rows) }
func (m table) Artefact() artefact.Artefact { return artefact.Artefact{} }
func (m table) Score(h learn.History, scores []float32) bool {
	if len(h.Items) == 0 {
		return false
	}
	row := m.rows[h.Items[len(h.Items)-1]]
	copy(scores, row)
	return row != nil
}

func same(name string, rows int, row ...float32) table {
	m := table{name: name}
	for range rows {
		m.rows = append(m.rows, row)
	}
	return m
}

func history(items ...int32) learn.History { return learn.History{Items: items} }

func TestScore(t *testing.T) {
	// Without item 0: 10, 20, 30 and 1, 1, 4.
	a, b := same("a", 4, 1e6, 10, 20, 30), same("b", 4, 0, 1, 1, 4)
	m, err := blend.New([]learn.Model{a, b}, []float64{1, .5})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 4)
	if !m.Score(history(0, 0), got) {
		t.Fatal("silent")
	}
	s, r := math.Sqrt(200./3), math.Sqrt2
	for i, want := range []float64{(1e6-20)/s - 1/r, -10/s - .5/r, -.5 / r, 10/s + 1/r} {
		if math.Abs(float64(got[i])-want) > 1e-6*math.Abs(want) {
			t.Errorf("item %d: got %v, want %v", i, got[i], want)
		}
	}
	if m.Score(history(), got) {
		t.Error("an empty history: got an answer where no part has one")
	}
	flat, err := blend.New([]learn.Model{same("flat", 4, 3, 3, 3, 3), same("mute", 4)}, []float64{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	if !flat.Score(history(1, 2), got) || slices.ContainsFunc(got, func(s float32) bool { return s != 0 }) {
		t.Errorf("a flat part and a silent one: got %v, want zeros", got)
	}
	if !flat.Score(history(0, 1, 2, 3), got) || slices.ContainsFunc(got, func(s float32) bool { return s != 0 }) {
		t.Errorf("a history of everything: got %v, want zeros", got)
	}
}

func TestNew(t *testing.T) {
	a, b := same("a", 2, 1, 2), same("b", 2, 1, 2)
	for name, test := range map[string]struct {
		parts   []learn.Model
		weights []float64
	}{
		"nothing":     {nil, nil},
		"no weight":   {[]learn.Model{a, b}, []float64{1}},
		"NaN":         {[]learn.Model{a, b}, []float64{1, math.NaN()}},
		"other items": {[]learn.Model{a, same("c", 3, 1, 2, 3)}, []float64{1, 1}},
		"a comma":     {[]learn.Model{same("a,b", 2, 1, 2)}, []float64{1}},
	} {
		if _, err := blend.New(test.parts, test.weights); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

func TestArtefact(t *testing.T) {
	a, b := same("a", 3, 1, 2, 5), same("b", 3, 3, 2, 2)
	m, err := blend.New([]learn.Model{a, b}, []float64{1, .04})
	if err != nil {
		t.Fatal(err)
	}
	var stored bytes.Buffer
	if err := m.Artefact().Write(&stored); err != nil {
		t.Fatal(err)
	}
	read, err := artefact.Read(&stored)
	if err != nil {
		t.Fatal(err)
	}
	again, err := blend.Load(read, b, same("c", 3), a)
	if err != nil {
		t.Fatal(err)
	}
	got, want := make([]float32, 3), make([]float32, 3)
	if again.Score(history(0), got); !m.Score(history(0), want) || !slices.Equal(got, want) {
		t.Errorf("loaded: got %v, want %v", got, want)
	}
	if _, err := blend.Load(read, a); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("without b: got %v, want ErrNotFound", err)
	}
	if _, err := blend.Load(read, same("a", 4), same("b", 4)); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("parts of other items: got %v, want ErrInvalid", err)
	}
	read.Kind = "ease"
	if _, err := blend.Load(read, a, b); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("another kind: got %v, want ErrInvalid", err)
	}
}

// TestTune holds the search's mean against ranking by the blend itself, and asks
// that it beats its parts where each knows half of the truth.
func TestTune(t *testing.T) {
	const items = 40
	random := rand.New(rand.NewPCG(1, 1))
	models := []learn.Model{table{name: "a"}, table{name: "b"}, table{name: "noise"}}
	var cases []split.Case
	for i := range models {
		m := table{name: models[i].Name()}
		for range items {
			row := make([]float32, items)
			for k := range row {
				row[k] = random.Float32()
			}
			m.rows = append(m.rows, row)
		}
		models[i] = m
	}
	for i := range items * 5 {
		last, target := int32(i%items), int32(random.IntN(items))
		if target == last {
			continue
		}
		// a and b see the truth as well as each other, through noise of their own.
		models[0].(table).rows[last][target] += .4
		models[1].(table).rows[last][target] += .4
		cases = append(cases, split.Case{History: history(last), Seen: []int32{(last + 1) % items}, Targets: []int32{target}})
	}
	cases = append(cases, split.Case{Targets: []int32{1}}) // nobody answers
	measure := func(r relevance.Ranking) float64 { return r.NDCG(10) }
	mean := func(m learn.Model) float64 {
		got, err := ranking.Rank(t.Context(), m, cases, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		var values []float64
		for _, a := range got.Answers {
			values = append(values, measure(a.Ranking))
		}
		return relevance.Mean(values)
	}
	for n := 1; n <= 3; n++ {
		weights, best, err := blend.Tune(t.Context(), models[:n], cases, measure, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := blend.New(models[:n], weights)
		if err != nil {
			t.Fatal(err)
		}
		if got := mean(m); math.Abs(got-best) > 1e-9 {
			t.Errorf("%d parts, weights %v: ranking gives %v, the search said %v", n, weights, got, best)
		}
		if alone := mean(models[0]); n > 1 && best < alone+.02 {
			t.Errorf("%d parts: got %v, no better than %v alone", n, best, alone)
		}
		again, _, _ := blend.Tune(t.Context(), models[:n], cases, measure, nil)
		if !slices.Equal(again, weights) {
			t.Errorf("%d parts: got weights %v, then %v", n, weights, again)
		}
	}
	if _, _, err := blend.Tune(t.Context(), models, nil, measure, nil); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("no cases: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := blend.Tune(ctx, models, cases, measure, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// follows fits how often an item follows another, or stands in a history at all.
type follows struct{ anywhere bool }

func (f follows) Name() string {
	if f.anywhere {
		return "popular"
	}
	return "follows"
}

func (f follows) Fit(_ context.Context, log learn.Log, _ learn.Watch) (learn.Model, error) {
	m := table{name: f.Name(), rows: make([][]float32, log.Items)}
	for i := range m.rows {
		m.rows[i] = make([]float32, log.Items)
	}
	for _, h := range log.Viewers {
		for i, item := range h.Items {
			for from := range m.rows {
				if f.anywhere || i > 0 && int(h.Items[i-1]) == from {
					m.rows[from][item]++
				}
			}
		}
	}
	return m, nil
}

func TestFitter(t *testing.T) {
	log := learn.Log{Items: 12}
	for v := range int32(30) {
		log.Viewers = append(log.Viewers, history(v%12, (v+1)%12, (v+2)%12, (v+3)%12))
	}
	f := blend.Fitter{Parts: []learn.Fitter{follows{}, follows{anywhere: true}}}
	m, err := f.Fit(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, 12)
	if !m.Score(history(4, 5), scores) || ranking.Best(scores, 1)[0] != 6 {
		t.Errorf("after 4, 5: got %v, want 6 first", scores)
	}
	for name, bad := range map[string]learn.Log{"empty": {Items: 3}, "single acts": {Items: 3, Viewers: []learn.History{history(1), history(2)}}} {
		if _, err := f.Fit(t.Context(), bad, nil); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}
