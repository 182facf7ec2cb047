// Package embed is the port through which content becomes vectors. An engine
// is a subpackage named for its technology; embedtest says what each promises.
package embed

import (
	"context"
	"fmt"
)

// Modality is what an Embedder reads.
type Modality string

// The modalities.
const (
	Text  Modality = "text"
	Image Modality = "image"
)

// Input is one thing to embed: Text, or the bytes of an encoded picture
// (JPEG, PNG, WebP) in Image. Exactly one of the two is set.
type Input struct {
	Text  string
	Image []byte
}

// Model says whose vectors these are. ID names weights and preprocessing, so
// that equal IDs mean comparable vectors; it becomes part of a collection's
// name and holds only [a-z0-9-].
type Model struct {
	ID  string
	Dim int // components of a vector
}

// Embedder turns inputs of one modality into unit vectors. It is safe for
// concurrent use.
type Embedder interface {
	// Model is constant over the Embedder's life.
	Model() Model

	// Embed returns one vector of Model().Dim components and length 1 for each
	// input, in their order; equal inputs give equal vectors in any batch. An
	// input that cannot be embedded alone (a broken picture, an empty text)
	// leaves its vector nil, and the error is then a *PartialError naming it;
	// with any other error no vector is valid.
	Embed(ctx context.Context, inputs ...Input) ([][]float32, error)
}

// PartialError says which inputs of a batch could not be embedded; the others'
// vectors are valid. Each cause wraps upnext.ErrInvalid.
type PartialError struct {
	Failed map[int]error // by position among the inputs
}

// Error names the failed input with the lowest position and counts the rest.
func (e *PartialError) Error() string {
	first := -1
	for i := range e.Failed {
		if first < 0 || i < first {
			first = i
		}
	}
	return fmt.Sprintf("embed input %d: %v (%d of the batch failed)", first, e.Failed[first], len(e.Failed))
}

// Unwrap gives the causes to errors.Is and errors.As.
func (e *PartialError) Unwrap() []error {
	causes := make([]error, 0, len(e.Failed))
	for _, err := range e.Failed {
		causes = append(causes, err)
	}
	return causes
}
