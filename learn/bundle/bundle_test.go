package bundle

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
)

// row is a model that scores by numbers of its own.
type row struct {
	name   string
	scores []float32
}

func (r row) Name() string { return r.name }
func (r row) Items() int   { return len(r.scores) }
func (r row) Score(h learn.History, scores []float32) bool {
	copy(scores, r.scores)
	return len(h.Items) > 0
}
func (r row) Artefact() artefact.Artefact {
	return artefact.Artefact{Kind: r.name, Version: 1, Tensors: map[string]artefact.Tensor{"row": artefact.Floats(r.scores, len(r.scores))}}
}

func loadRow(a artefact.Artefact) (learn.Model, error) {
	scores, _, err := a.Floats("row", -1)
	return row{a.Kind, scores}, err
}

func sample(t testing.TB) *Bundle {
	t.Helper()
	b, err := New(Manifest{
		Format: Format, Version: "v1", CreatedAt: time.Unix(1_700_000_000, 0).UTC(), Data: Data{Viewers: 2, Items: 3, Acts: 5},
		Models: []Part{{Name: "a", Weight: 1}, {Name: "b", Weight: .5}},
	}, []upnext.ItemID{"one", "two\nlines", "三"}, []learn.Model{row{"a", []float32{1, 2, 3}}, row{"b", []float32{3, 0, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func file(t testing.TB, b *Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBundle(t *testing.T) {
	b := sample(t)
	raw := file(t, b)
	if !bytes.Equal(raw, file(t, sample(t))) {
		t.Error("equal bundles give different files")
	}
	got, err := Read(bytes.NewReader(raw), loadRow)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Manifest, b.Manifest) || !slices.Equal(got.Items, b.Items) || got.Manifest.Models[1].Bytes == 0 {
		t.Errorf("got %+v %q, want %+v %q", got.Manifest, got.Items, b.Manifest, b.Items)
	}
	if n, ok := got.Number("三"); n != 2 || !ok {
		t.Errorf("number of 三: %d, %v", n, ok)
	}
	if _, ok := got.Number("four"); ok {
		t.Error("an item that was never met has a number")
	}
	scores, want := make([]float32, 3), make([]float32, 3)
	h := learn.History{Items: []int32{0}}
	if !got.Score(h, scores) || !b.Score(h, want) || !slices.Equal(scores, want) {
		t.Errorf("scores %v, want %v", scores, want)
	}
}

// A file that is cut short or changed is refused, wherever it was hit.
func TestDamaged(t *testing.T) {
	raw := file(t, sample(t))
	for n := 0; n < len(raw); n += 7 {
		if _, err := Read(bytes.NewReader(raw[:n]), loadRow); !errors.Is(err, upnext.ErrInvalid) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(raw), err)
		}
	}
	for _, part := range [][]byte{[]byte("two"), []byte(`"kind":"a"`), []byte(`"format": 1`)} {
		bad := bytes.Clone(raw)
		bad[bytes.Index(bad, part)+1] ^= 1
		if _, err := Read(bytes.NewReader(bad), loadRow); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s damaged: %v", part, err)
		}
	}
}

func TestMisfits(t *testing.T) {
	ids := []upnext.ItemID{"one", "two"}
	two := row{"a", []float32{1, 2}}
	for name, of := range map[string]struct {
		m      Manifest
		items  []upnext.ItemID
		models []learn.Model
	}{
		"another format": {Manifest{Format: Format + 1, Version: "v", Models: []Part{{Name: "a", Weight: 1}}}, ids, []learn.Model{two}},
		"no version":     {Manifest{Format: Format, Models: []Part{{Name: "a", Weight: 1}}}, ids, []learn.Model{two}},
		"no models":      {Manifest{Format: Format, Version: "v"}, ids, nil},
		"another name":   {Manifest{Format: Format, Version: "v", Models: []Part{{Name: "b", Weight: 1}}}, ids, []learn.Model{two}},
		"too many items": {Manifest{Format: Format, Version: "v", Models: []Part{{Name: "a", Weight: 1}}}, append(ids, "three"), []learn.Model{two}},
		"one item twice": {Manifest{Format: Format, Version: "v", Models: []Part{{Name: "a", Weight: 1}}}, []upnext.ItemID{"one", "one"}, []learn.Model{two}},
	} {
		if _, err := New(of.m, of.items, of.models); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: got %v, want %v", name, err, upnext.ErrInvalid)
		}
	}
}
