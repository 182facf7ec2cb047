package packed

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestBack: what is written is read, and any change of a byte, or its end, is told.
func TestBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ints := rapid.SliceOf(rapid.Int32()).Draw(rt, "ints")
		floats := make([]float64, rapid.SampledFrom([]int{0, 3, atOnce, 2*atOnce + 1}).Draw(rt, "floats"))
		for i := range floats {
			floats[i] = float64(i) / 3
		}
		texts := rapid.SliceOf(rapid.String()).Draw(rt, "texts")
		var file bytes.Buffer
		w := NewWriter(&file)
		List(w, ints)
		One(w, uint64(7))
		List(w, floats)
		Texts(w, texts)
		Names(w, texts)
		if err := w.Close(); err != nil {
			rt.Fatal(err)
		}
		whole := file.Bytes()
		read := func(b []byte) error {
			r := NewReader(bytes.NewReader(b))
			gotInts, one := Numbers[int32](r, 1<<20), Single[uint64](r)
			gotFloats, gotTexts := Numbers[float64](r, 1<<20), Strings[string](r, 1<<20)
			gotNames := Named[string](r, 1<<20)
			err := r.Close()
			if err == nil && (!slices.Equal(gotInts, ints) || one != 7 || !slices.Equal(gotFloats, floats) || !slices.Equal(gotTexts, texts) || !slices.Equal(gotNames, texts)) {
				rt.Fatalf("read %v %d %d %q", gotInts, one, len(gotFloats), gotTexts)
			}
			return err
		}
		if err := read(whole); err != nil {
			rt.Fatal(err)
		}
		if err := read(whole[:rapid.IntRange(0, len(whole)-1).Draw(rt, "cut at")]); err == nil {
			rt.Fatal("a cut file is read")
		}
		damaged := slices.Clone(whole)
		damaged[rapid.IntRange(0, len(whole)-1).Draw(rt, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		if err := read(damaged); err == nil {
			rt.Fatal("a damaged file is read")
		}
	})
}
