package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/bundle"
)

// contentDim is the length of the tests' content vectors.
const contentDim = 8

// ofKinds are viewers who take to items of one kind of four.
func ofKinds(viewers int) (events []upnext.Event) {
	rng := rand.New(rand.NewPCG(1, 1))
	for v := range viewers {
		for i, k := range rng.Perm(20)[:6] {
			events = append(events, like(fmt.Sprintf("v%d", v), fmt.Sprintf("k%d-%02d", v%4, k), i))
		}
	}
	return events
}

// kinds is content that has the kind in it, and more of what no viewer minds.
func kinds(id upnext.ItemID) []float32 {
	var seed uint64
	for _, c := range []byte(id) {
		seed = seed*31 + uint64(c)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, contentDim)
	for k := 4; k < contentDim; k++ {
		v[k] = float32(rng.NormFloat64())
	}
	v[id[1]-'0'] = .5
	return v
}

// trained makes a bundle where the content is what of says, and returns what was
// logged.
func (w *world) trained(t *testing.T, of func(upnext.ItemID) []float32, failing error) (bundle.Manifest, string) {
	t.Helper()
	var told bytes.Buffer
	w.Trainer.Logger = slog.New(slog.NewTextHandler(&told, nil))
	w.Trainer.Content = func(_ context.Context, _ upnext.Tenant, ids []upnext.ItemID) (string, [][]float32, error) {
		vectors := make([][]float32, len(ids))
		for i, id := range ids {
			vectors[i] = of(id)
		}
		return "kinds", vectors, failing
	}
	m, err := w.Trainer.Train(t.Context(), home, []string{"ease"}, nil, func(string, learn.Step) {})
	if err != nil {
		t.Fatal(err)
	}
	return m, told.String()
}

// Maps are kept where they find new items better than content alone.
func TestContent(t *testing.T) {
	w := newWorld(t)
	w.append(ofKinds(200)...)
	m, told := w.trained(t, kinds, nil)
	if c := m.Content; c == nil || c.Collection != "kinds" || c.Dim != contentDim || len(c.Places) != 1 || c.Places[0].Model != "ease" || c.Cases < 100 || c.NDCG10 <= c.Alone {
		t.Fatalf("content %+v, want a map into ease that finds more than content alone:\n%s", m.Content, told)
	}
	b := w.inUse()
	if b.Version != m.Version {
		t.Fatalf("in use is %s, want %s", b.Version, m.Version)
	}
	b = b.With([]upnext.ItemID{"k0-new", "k1-new", "k2-new", "k3-new"}, [][]float32{kinds("k0-new"), kinds("k1-new"), kinds("k2-new"), kinds("k3-new")})
	one, _ := b.Number("k0-03")
	two, _ := b.Number("k0-08")
	scores := make([]float32, len(b.Items)+4)
	if !b.ScoreAll(learn.History{Items: []int32{one, two}}, scores) {
		t.Fatal("nothing to say")
	}
	if of := scores[len(b.Items):]; of[0] <= 0 || of[0] <= max(of[1], of[2], of[3]) {
		t.Errorf("after two of kind 0 new items have %v, want kind 0 above 0 and above the others", of)
	}
}

// Content that tells nothing, or is not there, or is not to be read, costs the
// bundle its maps and nothing else.
func TestBadContent(t *testing.T) {
	nan := float32(math.NaN())
	for name, tt := range map[string]struct {
		of      func(upnext.ItemID) []float32
		failing error
		said    string
	}{
		"noise": {func(id upnext.ItemID) []float32 {
			v := kinds(id + " of another name")
			v[id[1]-'0'] = 0
			return v
		}, nil, "kept=false"},
		"all the same": {func(upnext.ItemID) []float32 { return []float32{1, 0} }, nil, "kept=false"},
		"none":         {func(upnext.ItemID) []float32 { return nil }, nil, ""},
		"NaN": {func(id upnext.ItemID) []float32 {
			if id == "k1-03" {
				return []float32{nan, 1}
			}
			return []float32{1, 0}
		}, nil, "bad content"},
		"another length": {func(id upnext.ItemID) []float32 { return make([]float32, 2+len(id)%2+int(id[1]-'0')) }, nil, "bad content"},
		"not to be read": {kinds, upnext.ErrUnavailable, "no content"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.append(ofKinds(200)...)
			m, told := w.trained(t, tt.of, tt.failing)
			if m.Content != nil || !strings.Contains(told, tt.said) {
				t.Errorf("content %+v, said %q; want none, and %q", m.Content, told, tt.said)
			}
			if b := w.inUse(); b.Version != m.Version {
				t.Errorf("in use is %s, want %s", b.Version, m.Version)
			}
		})
	}
}

// A map that was damaged in the store refuses the bundle: what is in use stays.
func TestDamagedMap(t *testing.T) {
	w := newWorld(t)
	w.append(ofKinds(200)...)
	first, _ := w.trained(t, kinds, nil)
	w.Trainer.Promote = false
	second, _ := w.trained(t, kinds, nil)
	key := "models/" + string(home) + "/bundles/" + second.Version + ".zip"
	in, _, err := w.Blobs.Open(t.Context(), key, 0)
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	_, err = raw.ReadFrom(in)
	in.Close()
	at := bytes.Index(raw.Bytes(), []byte(`"kind":"places"`))
	if err != nil || at < 0 {
		t.Fatalf("read %s: %v, a map at %d", key, err, at)
	}
	raw.Bytes()[at+200] ^= 0x40 // among its numbers
	if _, err := w.Blobs.Put(t.Context(), key, &raw); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Trainer.Registry.Promote(t.Context(), home, second.Version); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("promote it: %v, want ErrInvalid", err)
	}
	if b := w.inUse(); b.Version != first.Version {
		t.Errorf("in use is %s, want %s", b.Version, first.Version)
	}
}
