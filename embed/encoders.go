package embed

import (
	"context"
	"errors"
	"fmt"

	"upnext"
)

// Encoders are what a collection is filled and asked with: the encoders of its
// texts and pictures, and the Space that joins their vectors, whose name is the
// collection's.
type Encoders struct {
	Text  Embedder
	Image Embedder // nil: pictures are not looked at
	Space *Space
}

// Query makes the vector with which a text finds items of the collection; nil
// where there is nothing in the text that the encoder can read.
func (e Encoders) Query(ctx context.Context, text string) ([]float32, error) {
	vectors, err := e.Text.Embed(ctx, Input{Text: text})
	if partial := new(PartialError); errors.As(err, &partial) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("embed the query: %w", err)
	}
	if vectors[0] == nil {
		return nil, nil
	}
	return e.Space.Query(vectors[0])
}

// Kept are the Encoders of every collection that is kept: while one follows
// another, both can be asked.
type Kept []Encoders

// Query is that of the collection's Encoders; ErrNotFound where none are kept.
func (k Kept) Query(ctx context.Context, collection, text string) ([]float32, error) {
	for _, e := range k {
		if e.Space.Name() == collection {
			return e.Query(ctx, text)
		}
	}
	return nil, fmt.Errorf("encoders of collection %s: %w", collection, upnext.ErrNotFound)
}
