package bundle

import (
	"slices"

	"upnext/learn"
)

// Reading is where one viewer stands with a bundle's models that read act by act
// (learn.Reader). Kept between requests, it makes an event cost such a model one
// step in place of the whole history. One goroutine may use it at a time.
type Reading struct {
	of    *Bundle
	items []int32         // read so far
	parts []learn.Reading // by model; nil for those that take a history whole, or are not asked
}

// Read brings a reading to a history: by the acts that are new where what it has
// read is how the history begins, and anew otherwise, as it does for nil and for
// a reading of other models. The one it was given is used up. It returns nil
// where no model reads act by act.
func (b *Bundle) Read(r *Reading, h learn.History) *Reading {
	// A bundle that has met newcomers (With) has the same models.
	if r == nil || r.of.blend != b.blend || len(r.items) > len(h.Items) || !slices.Equal(r.items, h.Items[:len(r.items)]) {
		return b.begin(h)
	}
	for _, item := range h.Items[len(r.items):] {
		for _, p := range r.parts {
			if p != nil {
				p.Advance(item)
			}
		}
	}
	r.of, r.items = b, append(r.items, h.Items[len(r.items):]...)
	return r
}

func (b *Bundle) begin(h learn.History) *Reading {
	r := &Reading{of: b, items: slices.Clone(h.Items), parts: make([]learn.Reading, len(b.Models))}
	reads := false
	for i, m := range b.Models {
		if reader, ok := m.(learn.Reader); ok && b.blend.Asks(i) {
			r.parts[i], reads = reader.Read(h), true
		}
	}
	if !reads {
		return nil
	}
	return r
}

// ScoreAll is Bundle.ScoreAll of the history that was read, to the bit; h is that
// history, for the models that take it whole.
func (r *Reading) ScoreAll(h learn.History, scores []float32) bool {
	return r.of.scoreAll(func(part int, row []float32) bool {
		if p := r.parts[part]; p != nil {
			return p.Score(row)
		}
		return r.of.Models[part].Score(h, row)
	}, h, scores)
}

// Bytes is what keeping it takes of memory.
func (r *Reading) Bytes() int {
	n := 4*cap(r.items) + 16*len(r.parts)
	for _, p := range r.parts {
		if p != nil {
			n += p.Bytes()
		}
	}
	return n
}
