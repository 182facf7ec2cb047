package artefact

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"testing"

	"upnext"
)

func sample() Artefact {
	return Artefact{Kind: "ease", Version: 1, Settings: map[string]string{"lambda": "300", "items": "2"}, Tensors: map[string]Tensor{
		"b":     Floats([]float32{0, .5, -1, 0}, 2, 2),
		"codes": Bytes([]int8{-128, 127, 3}, 3),
		"ids":   Ints([]int32{7, -9}, 2),
	}}
}

func stored(t *testing.T, a Artefact) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := a.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArtefact(t *testing.T) {
	raw := stored(t, sample())
	if again := stored(t, sample()); !bytes.Equal(raw, again) {
		t.Error("equal artefacts give different bytes")
	}
	got, err := Read(bytes.NewReader(raw))
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("got %+v, %v, want %+v", got, err, sample())
	}
	if err := got.Expect("ease", 1); err != nil {
		t.Error(err)
	}
	for _, err := range []error{got.Expect("ials", 1), got.Expect("ease", 2)} {
		if !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("another kind or version: %v", err)
		}
	}
	if v, shape, err := got.Floats("b", -1, 2); err != nil || len(v) != 4 || shape[0] != 2 {
		t.Errorf("floats: %v %v %v", v, shape, err)
	}
	for name, shape := range map[string][]int{"b": {4}, "codes": {3}, "absent": {1}} {
		if _, _, err := got.Floats(name, shape...); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("floats %s %v: %v", name, shape, err)
		}
	}
	bad := sample()
	bad.Tensors["b"].F32[1] = float32(math.NaN())
	if _, _, err := bad.Floats("b", 2, 2); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("NaN: %v", err)
	}
}

// Whatever is cut off, changed in its header or too long is refused.
func TestDamaged(t *testing.T) {
	raw := stored(t, sample())
	for n := range raw {
		if _, err := Read(bytes.NewReader(raw[:n])); !errors.Is(err, upnext.ErrInvalid) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(raw), err)
		}
	}
	long := binary.LittleEndian.AppendUint64(nil, 1<<40)
	for name, b := range map[string][]byte{
		"a header of a terabyte": long,
		"a gap":                  bytes.Replace(raw, []byte("[0,16]"), []byte("[1,17]"), 1),
		"a lying shape":          bytes.Replace(raw, []byte("[2,2]"), []byte("[2,9]"), 1),
		"a negative shape":       bytes.Replace(raw, []byte("[2,2]"), []byte("[-2,-2]"), 1),
		"an unknown type":        bytes.Replace(raw, []byte(`"F32"`), []byte(`"F99"`), 1),
		"no version":             bytes.Replace(raw, []byte(`"version":"1"`), []byte(`"version":"x"`), 1),
	} {
		if _, err := Read(bytes.NewReader(b)); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	_ = sample().Write(&b)
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := Read(bytes.NewReader(raw))
		if err != nil {
			if !errors.Is(err, upnext.ErrInvalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		if back, err := Read(bytes.NewReader(stored(t, a))); err != nil || back.Kind != a.Kind || len(back.Tensors) != len(a.Tensors) {
			t.Fatalf("not the same again: %v", err)
		}
	})
}
