package zeroshot

import (
	"reflect"
	"testing"

	"upnext"
)

// Vectors of another encoder, whatever their length, change no answer for the worse.
func TestForeignVectors(t *testing.T) {
	u := open(t)
	item := upnext.Item{ID: "i", Kind: "video", Title: "Sourdough bread for beginners", Description: "How to knead the dough and bake a loaf in your own kitchen."}
	in := read(t, item)
	in.Vec = nil // the plain mean of the passages
	want, err := u.Understand(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{3, len(in.Passages[0])} {
		foreign := in
		foreign.Model, foreign.Vec, foreign.Passages = "another", make([]float32, length), [][]float32{make([]float32, length)}
		foreign.Vec[0], foreign.Passages[0][1] = 1, 1
		got, err := u.Understand(t.Context(), foreign)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("vectors of %d components: got %+v, %v; want %+v", length, got, err, want)
		}
	}
}
