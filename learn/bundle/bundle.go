// Package bundle is a set of models that were made together and are used
// together: one version, one file. A request is answered from one bundle, so
// that no answer mixes versions.
package bundle

import (
	"fmt"
	"time"

	"upnext"
	"upnext/learn"
	"upnext/learn/blend"
	"upnext/learn/collab"
)

// Format is the layout that this program writes and reads.
const Format = 1

// Manifest says what is in a bundle and where it comes from.
type Manifest struct {
	Format    int       `json:"format"`
	Version   string    `json:"version"` // unique; later ones sort behind
	CreatedAt time.Time `json:"created_at"`
	Data      Data      `json:"data"`
	Seed      uint64    `json:"seed"`
	Models    []Part    `json:"models"` // the first part of the blend first
	Blend     Metrics   `json:"blend"`  // of all together, on validation
	Features  []string  `json:"features"`

	// Content places items that the models have never met; nil where nothing
	// does. Bundles older than this have none, and programs older than this pass
	// it over: the format is the same.
	Content *Content `json:"content,omitempty"`

	// Page weighs the features of a page's items; nil where the settings' weights do.
	// Bundles and programs older than this do without, as with Content.
	Page *PageWeights `json:"page,omitempty"`
}

// PageWeights are learned from what was shown and what became of it.
type PageWeights struct {
	Weights map[string]float64 `json:"weights"` // by feature; one that is missing weighs nothing
	Slates  int                `json:"slates"`  // answers that they were learned from
	Taken   int                `json:"taken"`   // items of these that were taken to

	// The share of pairs, one taken to and one not, that are in the right order: by
	// them and by the settings' weights, on answers that they were not learned from.
	Concordance float64 `json:"concordance"`
	Before      float64 `json:"concordance_before"`
}

// Data is what the models were fitted on.
type Data struct {
	Viewers   int       `json:"viewers"`
	Items     int       `json:"items"`
	Acts      int       `json:"acts"`
	Newest    time.Time `json:"newest"`    // act
	Validated int       `json:"validated"` // viewers whose last act was held out to measure by
}

// Part is one model and its share of the blend.
type Part struct {
	Name    string  `json:"name"`
	File    string  `json:"file"`
	Weight  float64 `json:"weight"` // of its z-scores; 0 where it did not help
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"` // to fit
	Refit   bool    `json:"refit"`   // fitted again on everything, validation included
	Metrics Metrics `json:"metrics"` // alone, on validation, before it was fitted again

	// Exact is what the same model reached before its numbers were rounded to 8
	// bits; nil where they were not.
	Exact *Metrics `json:"metrics_exact,omitempty"`
}

// Metrics are means over the viewers of validation, by full ranking.
type Metrics struct {
	HR10   float64 `json:"hr@10"`
	NDCG10 float64 `json:"ndcg@10"`
}

// Bundle is constant once made, and safe for concurrent use.
type Bundle struct {
	Manifest
	Items  []upnext.ItemID // the items' numbers are their places here
	Models []learn.Model   // in the order of Manifest.Models

	number    map[upnext.ItemID]int32
	blend     *blend.Blend
	places    []*collab.Places // in the order of Content.Places
	newcomers newcomers
}

// Score sets scores, one an item, to what the models say together; false where
// the history says nothing to any of them. See learn.Model and blend.Blend.
func (b *Bundle) Score(h learn.History, scores []float32) bool { return b.blend.Score(h, scores) }

// Number returns an item's number; false where the models have never met it.
func (b *Bundle) Number(id upnext.ItemID) (int32, bool) {
	n, ok := b.number[id]
	return n, ok
}

// check reports by ErrInvalid what does not fit together.
func (b *Bundle) check() error {
	if b.Format != Format {
		return fmt.Errorf("bundle of format %d: this program reads %d: %w", b.Format, Format, upnext.ErrInvalid)
	}
	if b.Version == "" || len(b.Models) == 0 || len(b.Models) != len(b.Manifest.Models) {
		return fmt.Errorf("bundle %q with %d of %d models: %w", b.Version, len(b.Models), len(b.Manifest.Models), upnext.ErrInvalid)
	}
	names := map[string]bool{} // a file each
	for i, m := range b.Models {
		if names[m.Name()] {
			return fmt.Errorf("bundle %s: two models %q: %w", b.Version, m.Name(), upnext.ErrInvalid)
		}
		names[m.Name()] = true
		if m.Name() != b.Manifest.Models[i].Name {
			return fmt.Errorf("bundle %s: model %d is %q, not %q: %w", b.Version, i, m.Name(), b.Manifest.Models[i].Name, upnext.ErrInvalid)
		}
		if m.Items() != len(b.Items) {
			return fmt.Errorf("bundle %s: %s knows %d items, not %d: %w", b.Version, m.Name(), m.Items(), len(b.Items), upnext.ErrInvalid)
		}
	}
	if len(b.number) != len(b.Items) {
		return fmt.Errorf("bundle %s: %d different items of %d: %w", b.Version, len(b.number), len(b.Items), upnext.ErrInvalid)
	}
	return b.checkPlaces()
}

// New joins the parts and checks them; places are those of m.Content, in its
// order.
func New(m Manifest, items []upnext.ItemID, models []learn.Model, places ...*collab.Places) (*Bundle, error) {
	b := &Bundle{Manifest: m, Items: items, Models: models, places: places, number: make(map[upnext.ItemID]int32, len(items))}
	for i, id := range items {
		b.number[id] = int32(i)
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	weights := make([]float64, len(m.Models))
	for i, part := range m.Models {
		weights[i] = part.Weight
	}
	var err error
	if b.blend, err = blend.New(models, weights); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", m.Version, err)
	}
	return b, nil
}
