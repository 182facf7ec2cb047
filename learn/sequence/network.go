package sequence

import "math/rand/v2"

// network is a form of model: how a run of items becomes, at each of them, the
// vector that the next item's vector should be like.
type network interface {
	name() string
	layout() *layout
	dim() int
	initial(w []float32, rng *rand.Rand)
	settings() map[string]int // what the tensors' shapes do not tell

	window() (length, hop int) // the acts that it reads: see begin
	stepwise() bool            // how its batches are packed
	portion() int              // the acts of a batch that are worked on at a time

	pass(v *weights, rows int) pass
	cursor(v *weights, vector func(item int32, to []float32)) cursor
}

// pass is one goroutine's way forward and back. forward answers [rows][dim],
// which stays until the next call; backward, for the same batch, adds to g,
// laid out as the weights, what the gradient gh of that answer makes. push,
// after backward, makes the next forward begin with embeddings that are moved
// by so much of their own length to where the loss rises most.
type pass interface {
	forward(b *batch, training bool) []float32
	backward(b *batch, gh, g []float32)
	push(b *batch, far float64)
}

// cursor is one run, read as far as it goes: what serving holds for a viewer.
type cursor interface {
	reset()
	extend(items []int32) // at most the window's length in all
	vector() []float32    // of the last item; it stays until the next call
	floats() int          // that it keeps
}
