package sequence

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
)

// walks is a log in which item i is mostly followed by i+1: what comes next can
// be learned.
func walks(viewers, items int) learn.Log {
	rng := rand.New(rand.NewPCG(9, 9))
	log := learn.Log{Items: items}
	for range viewers {
		at, acts := rng.IntN(items), []int32{}
		for range 3 + rng.IntN(30) {
			acts = append(acts, int32(at))
			if at = (at + 1) % items; rng.IntN(10) == 0 {
				at = rng.IntN(items)
			}
		}
		log.Viewers = append(log.Viewers, learn.History{Items: acts})
	}
	return log
}

// fitters are quick to fit; each has all that its kind can do.
func fitters(t Training) map[string]learn.Fitter {
	t.LR, t.Batch, t.Seed = .01, 8, 7
	return map[string]learn.Fitter{
		"sasrec": SASRec{Dim: 16, Length: 20, Dropout: .1, Training: t},
		"gru":    GRU{Dim: 16, Hidden: 24, Length: 20, Dropout: .1, Training: t},
	}
}

func fitted(t *testing.T, f learn.Fitter, log learn.Log, watch learn.Watch) *Model {
	t.Helper()
	m, err := f.Fit(context.Background(), log, epochs(watch))
	if err != nil {
		t.Fatal(err)
	}
	return m.(*Model)
}

// epochs lets only a watch's epochs through.
func epochs(w learn.Watch) learn.Watch {
	return func(s learn.Step) {
		if s.Phase == "epoch" {
			w.Tell(s)
		}
	}
}

func stored(t *testing.T, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Artefact().Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLearnsWhatComesNext(t *testing.T) {
	log := walks(300, 40)
	much := Augment{Mask: .1, Substitute: .1, Reorder: .2}
	for _, training := range []Training{{Epochs: 6}, {Epochs: 8, Augment: much}, {Epochs: 6, Against: .2}, {Epochs: 16, Augment: Augment{Mask: .05, Substitute: .05, Reorder: .05}, Negatives: 20}, {Epochs: 6, Negatives: 12}, {Epochs: 6, Average: .95, Decay: .5, Shrink: .01, Crop: .3}} {
		for name, f := range fitters(training) {
			var metric float64
			m := fitted(t, f, log, func(s learn.Step) { metric = s.Metric })
			if metric < .75 {
				t.Errorf("%s %+v: validation NDCG@10 %v, want .75", name, training, metric)
			}
			scores, right := make([]float32, 40), 0
			for item := range int32(40) {
				if !m.Score(learn.History{Items: []int32{item}}, scores) {
					t.Fatalf("%s: no scores", name)
				}
				if best := slices.Index(scores, slices.Max(scores)); best == int(item+1)%40 {
					right++
				}
			}
			if right < 36 {
				t.Errorf("%s %+v: %d of 40 items are followed by the next, want 36", name, training, right)
			}
		}
	}
}

// Same seed, same bits; another seed, others.
func TestRepeats(t *testing.T) {
	log := walks(60, 30)
	for name := range fitters(Training{}) {
		once := stored(t, fitted(t, fitters(Training{Epochs: 2})[name], log, nil))
		again := stored(t, fitted(t, fitters(Training{Epochs: 2})[name], log, nil))
		if !bytes.Equal(once, again) {
			t.Errorf("%s: the same seed gives another model", name)
		}
		if other := stored(t, fitted(t, fitters(Training{Epochs: 2, Crop: 1})[name], walks(61, 30), nil)); bytes.Equal(once, other) {
			t.Errorf("%s: another log gives the same model", name)
		}
	}
}

// An artefact that was stored and read scores as the model did.
func TestArtefact(t *testing.T) {
	log := walks(60, 30)
	for name, f := range fitters(Training{Epochs: 2}) {
		for _, m := range []*Model{fitted(t, f, log, nil), fitted(t, f, log, nil).Quantised()} {
			a, err := artefact.Read(bytes.NewReader(stored(t, m)))
			if err != nil {
				t.Fatal(err)
			}
			back, err := Load(a)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, want := make([]float32, 30), make([]float32, 30)
			h := learn.History{Items: []int32{3, 4, 5, 9}}
			if !back.Score(h, got) || !m.Score(h, want) || !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
			for tensor := range a.Tensors {
				damaged := a
				damaged.Tensors = map[string]artefact.Tensor{}
				for n, v := range a.Tensors {
					if n != tensor {
						damaged.Tensors[n] = v
					}
				}
				if _, err := Load(damaged); !errors.Is(err, upnext.ErrInvalid) {
					t.Errorf("%s without %s: %v", name, tensor, err)
				}
			}
			a.Version++
			if _, err := Load(a); !errors.Is(err, upnext.ErrInvalid) {
				t.Errorf("%s of another version: %v", name, err)
			}
		}
	}
}

// Eight bits change scores by little.
func TestQuantised(t *testing.T) {
	for name, f := range fitters(Training{Epochs: 4}) {
		m := fitted(t, f, walks(200, 30), nil)
		q := m.Quantised()
		a, b := make([]float32, 30), make([]float32, 30)
		for item := range int32(30) {
			h := learn.History{Items: []int32{item, (item + 1) % 30}}
			m.Score(h, a)
			q.Score(h, b)
			for i := range a {
				if d := a[i] - b[i]; d > .3 || d < -.3 {
					t.Fatalf("%s: item %d: got %v, want about %v", name, i, b[i], a[i])
				}
			}
		}
	}
}

func TestBadLogsAndSettings(t *testing.T) {
	one := learn.History{Items: []int32{0}}
	for name, log := range map[string]learn.Log{
		"empty": {Items: 5}, "no acts": {Items: 5, Viewers: make([]learn.History, 3)}, "one item": {Items: 1, Viewers: []learn.History{one}},
		"one act each": {Items: 5, Viewers: []learn.History{one, one}}, "an item beyond": {Items: 2, Viewers: []learn.History{{Items: []int32{0, 2}}}},
	} {
		for kind, f := range fitters(Training{Epochs: 1}) {
			if _, err := f.Fit(context.Background(), log, nil); !errors.Is(err, upnext.ErrInvalid) {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
		}
	}
	for _, f := range []learn.Fitter{
		SASRec{Dim: 15, Heads: 2}, SASRec{Dropout: 1}, SASRec{Length: -1}, SASRec{Blocks: -1}, GRU{Dim: -1}, GRU{Hidden: -3}, SASRec{Training: Training{LR: -1}}, GRU{Training: Training{Augment: Augment{Mask: .6, Substitute: .6}}},
		SASRec{Training: Training{Crop: 2}}, GRU{Training: Training{Init: []float32{1, 2}}}, GRU{Training: Training{LR: 1e30, Epochs: 3}},
	} {
		if _, err := f.Fit(context.Background(), walks(20, 9), nil); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for kind, f := range fitters(Training{}) {
		if _, err := f.Fit(ctx, walks(20, 9), nil); !errors.Is(err, context.Canceled) || !errors.Is(err, upnext.ErrUnavailable) {
			t.Errorf("%s, cancelled: %v", kind, err)
		}
	}
}

// The smallest logs and the longest viewer give models that work.
func TestOddLogs(t *testing.T) {
	long := make([]int32, 100_000)
	for i := range long {
		long[i] = int32(i % 7)
	}
	for name, log := range map[string]learn.Log{
		"one viewer of two acts": {Items: 2, Viewers: []learn.History{{Items: []int32{0, 1}}}},
		"one item again":         {Items: 2, Viewers: []learn.History{{Items: []int32{1, 1, 1, 1}}}},
		"100,000 acts":           {Items: 7, Viewers: []learn.History{{Items: long}, {Items: []int32{1, 2, 3}}, {}}},
	} {
		for kind, f := range fitters(Training{Epochs: 2, Crop: .5}) {
			m := fitted(t, f, log, nil)
			scores := make([]float32, log.Items)
			if m.Score(learn.History{}, scores) || m.Score(learn.History{Items: []int32{-1, 99}}, scores) {
				t.Errorf("%s, %s: scores for nothing known", kind, name)
			}
			for _, h := range [][]int32{{1}, long[:1], long} {
				if log.Items == 7 && !m.Score(learn.History{Items: h}, scores) {
					t.Errorf("%s, %s: no scores", kind, name)
				}
			}
			for _, v := range scores {
				if v != v {
					t.Errorf("%s, %s: scores %v", kind, name, scores)
				}
			}
		}
	}
}

// A model begins with the vectors that it is given, projected where they are of
// another length.
func TestInit(t *testing.T) {
	log := walks(40, 6)
	vectors := make([]float32, 6*8)
	for i := range vectors {
		vectors[i] = float32(i%8) - 3
	}
	for i := range 8 {
		vectors[8+i] = vectors[i] // items 0 and 1 are the same
		vectors[16+i] = -vectors[i]
	}
	for name, f := range fitters(Training{Epochs: 1, Init: vectors}) {
		switch s := f.(type) {
		case SASRec:
			s.LR = 1e-9
			f = s
		case GRU:
			s.LR = 1e-9
			f = s
		}
		m := fitted(t, f, log, nil)
		a, b, c := make([]float32, 16), make([]float32, 16), make([]float32, 16)
		m.ItemVector(0, a)
		m.ItemVector(1, b)
		m.ItemVector(2, c)
		for i := range a {
			if d := a[i] - b[i]; d > 1e-5 || d < -1e-5 || a[i]*c[i] > 0 {
				t.Errorf("%s: vectors %v, %v, %v", name, a, b, c)
				break
			}
		}
	}
}

// Validation without a gain ends a run, and the best weights are kept.
func TestPatience(t *testing.T) {
	for name, f := range fitters(Training{Epochs: 50, Patience: 2, Decay: 1}) {
		done, best := 0, 0.
		m := fitted(t, f, walks(100, 20), func(s learn.Step) { done, best = s.Done, max(best, s.Metric) })
		if done == 50 {
			t.Errorf("%s: never tired", name)
		}
		if got, want := m.Artefact().Settings["validation_ndcg@10"], strconv.FormatFloat(best, 'g', 6, 64); got != want {
			t.Errorf("%s: kept the model of %s, want %s", name, got, want)
		}
	}
}

// Nearest are the highest scores but one's own.
func TestNearest(t *testing.T) {
	got := make([]int32, 3)
	nearest([]float32{.5, .9, 1, .1, .9, .7}, 2, got)
	if want := []int32{1, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A run that ends after any epoch and goes on is, to the bit, one that never
// ended; a checkpoint of other settings is passed over.
func TestResume(t *testing.T) {
	log := walks(60, 30)
	settings := Training{Epochs: 4, Average: .9, Patience: 3, Decay: .5, Crop: .5, Augment: Augment{.1, .1, .1}}
	for name := range fitters(settings) {
		want := stored(t, fitted(t, fitters(settings)[name], log, nil))
		for end := 1; end < 4; end++ {
			kept := &memory{}
			broken := settings
			broken.Checkpoint = kept
			ctx, crash := context.WithCancel(context.Background())
			_, err := fitters(broken)[name].Fit(ctx, log, epochs(func(s learn.Step) {
				if s.Done > end {
					t.Errorf("%s: epoch %d after the crash", name, s.Done)
				}
				if s.Done == end {
					kept.after = crash
				}
			}))
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s: %v", name, err)
			}
			first := 0
			got := stored(t, fitted(t, fitters(broken)[name], log, func(s learn.Step) {
				if first == 0 {
					first = s.Done
				}
			}))
			if first != end+1 || !bytes.Equal(got, want) {
				t.Errorf("%s: resumed after %d epochs at %d, same model %v", name, end, first, bytes.Equal(got, want))
			}
			other := broken
			other.Shrink = .1
			first = 0
			fitted(t, fitters(other)[name], log, func(s learn.Step) {
				if first == 0 {
					first = s.Done
				}
			})
			if first != 1 {
				t.Errorf("%s: other settings go on at epoch %d", name, first)
			}
		}
		settings := settings
		settings.Checkpoint = &memory{state: []byte("damaged")}
		if _, err := fitters(settings)[name].Fit(context.Background(), log, nil); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s, damaged checkpoint: %v", name, err)
		}
	}
}

// memory is a checkpoint that crashes the run after saving, where it is told to.
type memory struct {
	state []byte
	after func()
}

func (m *memory) Load() ([]byte, error) { return m.state, nil }

func (m *memory) Save(state []byte) error {
	m.state = slices.Clone(state)
	if m.after != nil {
		m.after()
		m.after = nil
	}
	return nil
}

func TestDivide(t *testing.T) {
	runs := randomRuns(rand.New(rand.NewPCG(1, 1)), 9, 3, 50, 7, 50, 20, 2, 2, 31)
	got := divide(runs, 3, 60)
	if !reflect.DeepEqual(got, divide(runs, 3, 60)) {
		t.Error("two answers")
	}
	n := 0
	for _, portions := range got {
		for _, portion := range portions {
			rows := 0
			for i, run := range portion {
				if rows += len(run); i > 0 && len(run) > len(portion[i-1]) {
					t.Errorf("not the longest first: %v", portion)
				}
			}
			if n += len(portion); rows > 60 {
				t.Errorf("a portion of %d rows", rows)
			}
		}
	}
	if n != len(runs) {
		t.Errorf("got %d runs, want %d", n, len(runs))
	}
}
