package bundle

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/collab"
	"upnext/learn/kernel"
)

// Content says how the models' places of items are told by content: maps learned
// from the items that viewers took to, for those that nobody has seen.
type Content struct {
	Collection string    `json:"collection"` // of the index: vectors of another one mean nothing to the maps
	Dim        int       `json:"dim"`        // numbers of a content vector
	Places     []Placing `json:"places"`     // one or more; models without one say nothing of new items

	// What kept them, on items taken from the maps in turn: see train.
	Cases  int     `json:"cases"`
	NDCG10 float64 `json:"ndcg@10"`              // among such items alone
	Alone  float64 `json:"ndcg@10_content_only"` // by likeness to what the viewer took to
}

// Usable reports whether a vector is one of Dim finite numbers.
func (c *Content) Usable(vector []float32) bool {
	for _, x := range vector {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return false
		}
	}
	return len(vector) == c.Dim
}

// Placing is the map into one model's places.
type Placing struct {
	Model string `json:"model"`
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

// newcomers are items that the models have never met.
type newcomers struct {
	ids     []upnext.ItemID
	vectors [][]float32
	number  map[upnext.ItemID]int32
}

// With is the same bundle that knows of items its models have never met, by
// their content vectors of Content.Collection; it takes the place of those it
// knew of before. Items without a vector of Content.Dim finite numbers are left
// out, as are all where there is no Content. The bundle it is called on stays as
// it is. Newcomers are not stored.
func (b *Bundle) With(ids []upnext.ItemID, vectors [][]float32) *Bundle {
	c := *b
	c.newcomers = newcomers{number: map[upnext.ItemID]int32{}}
	for i, id := range ids {
		if b.Content != nil && b.Content.Usable(vectors[i]) {
			c.newcomers.number[id] = int32(len(b.Items) + len(c.newcomers.ids))
			c.newcomers.ids, c.newcomers.vectors = append(c.newcomers.ids, id), append(c.newcomers.vectors, vectors[i])
		}
	}
	return &c
}

// Newcomers are the items of With, whose numbers follow those of Items.
func (b *Bundle) Newcomers() []upnext.ItemID { return b.newcomers.ids }

// Newcomer is a newcomer's number.
func (b *Bundle) Newcomer(id upnext.ItemID) (int32, bool) {
	n, ok := b.newcomers.number[id]
	return n, ok
}

// ScoreAll is Score for Items and the newcomers behind them. A newcomer has what
// each model that has a map would say of an item at its place, less the mean
// of what that model says of the items it knows and divided by their deviation,
// by the model's weight in the blend: the blend's own scale. A model without a
// map counts as saying 0, the mean. A map is a regression, so its scores are
// the expected ones and lie nearer to the mean than those of items with acts: a
// newcomer comes to the top where its content tells much, and not by chance.
func (b *Bundle) ScoreAll(h learn.History, scores []float32) bool {
	return b.scoreAll(func(part int, row []float32) bool { return b.Models[part].Score(h, row) }, h, scores)
}

// scoreAll is ScoreAll where ask answers for the models.
func (b *Bundle) scoreAll(ask func(part int, row []float32) bool, h learn.History, scores []float32) bool {
	known := scores[:len(b.Items)]
	if len(b.newcomers.ids) == 0 {
		return b.blend.ScoreBy(ask, h.Items, known, nil)
	}
	// Scores of newcomers are linear in their content, and so is their sum over
	// the models: one direction for all.
	sum, one := make([]float32, b.Content.Dim+1), make([]float32, b.Content.Dim+1)
	level := kernel.Best()
	told := b.blend.ScoreBy(ask, h.Items, known, func(part int, mean, by float64) {
		for i, p := range b.Content.Places {
			if p.Model == b.Manifest.Models[part].Name && b.places[i].Toward(b.Models[part], h, one) {
				one[b.Content.Dim] -= float32(mean)
				level.Axpy(sum, float32(by), one)
			}
		}
	})
	for i, v := range b.newcomers.vectors {
		scores[len(b.Items)+i] = level.Dot(sum[:b.Content.Dim], v) + sum[b.Content.Dim]
	}
	return told
}

// checkPlaces reports by ErrInvalid what does not fit the models.
func (b *Bundle) checkPlaces() error {
	c := b.Content
	if c == nil && len(b.places) == 0 {
		return nil
	}
	if c == nil || c.Collection == "" || c.Dim < 1 || len(c.Places) == 0 || len(c.Places) != len(b.places) {
		return fmt.Errorf("bundle %s: %d maps of content %+v: %w", b.Version, len(b.places), c, upnext.ErrInvalid)
	}
	met := map[string]bool{}
	for i, p := range c.Places {
		fits := false
		for _, m := range b.Models {
			fits = fits || m.Name() == p.Model && b.places[i].Fits(m)
		}
		if !fits || met[p.Model] || b.places[i].Dim != c.Dim+1 {
			return fmt.Errorf("bundle %s: the map of %d × %d into %q fits no model, or not content of %d numbers: %w",
				b.Version, b.places[i].Width, b.places[i].Dim, p.Model, c.Dim, upnext.ErrInvalid)
		}
		met[p.Model] = true
	}
	return nil
}

func (b *Bundle) writePlaces(z *zip.Writer) error {
	for i, p := range b.places {
		to := &b.Content.Places[i]
		to.File = "places-" + to.Model + ".safetensors"
		out := counted{w: create(z, to.File)}
		if err := p.Artefact().Write(&out); err != nil {
			return fmt.Errorf("%s: %w", to.File, err)
		}
		to.Bytes = out.n
	}
	return nil
}

func readPlaces(z *zip.Reader, c *Content) ([]*collab.Places, error) {
	if c == nil {
		return nil, nil
	}
	places := make([]*collab.Places, len(c.Places))
	for i, p := range c.Places {
		raw, err := content(z, p.File)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.File, err)
		}
		a, err := artefact.Read(bytes.NewReader(raw))
		if err == nil {
			places[i], err = collab.LoadPlaces(a)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.File, err)
		}
	}
	return places, nil
}
