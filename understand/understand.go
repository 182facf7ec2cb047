// Package understand is the port through which an item's content gets topics,
// emotion, style, language and safety labels. Engines are subpackages;
// understandtest says what each promises.
package understand

import (
	"context"

	"upnext"
)

// Input is what an Understander reads of one item. Either may be missing.
type Input struct {
	Item     upnext.Item
	Text     string      // title, description, tags and transcript, as far as it was read
	Vec      []float32   // the text encoder's pooled unit vector of the item; nil if there is none
	Passages [][]float32 // the unit vectors of its passages, title first; may be empty
	Model    string      // ID of the encoder that made the vectors; empty: the Understander's own
}

// Understander says what items are about. It is safe for concurrent use.
type Understander interface {
	// Understand returns one Understanding for each input, in their order. It
	// leaves a facet empty rather than guess without evidence.
	Understand(ctx context.Context, inputs ...Input) ([]upnext.Understanding, error)

	// Model names the labels and weights behind it; equal names, equal answers.
	Model() string
}
