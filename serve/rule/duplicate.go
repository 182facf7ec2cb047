package rule

import (
	"math"

	"upnext"
	"upnext/serve/shelf"
	"upnext/serve/vec"
)

// Duplicates says when two items are one under two ids: of those only the
// better is shown, and neither to a viewer who has just seen the other.
type Duplicates struct {
	Cosine float64 `json:"cosine"` // from which two vectors are of one item; 0: only equal content is
	Recent int     `json:"recent"` // items seen last that do not come again under another id
}

// mostRecent bounds Duplicates.Recent: each item placed is held against them.
const mostRecent = 200

func (d Duplicates) validate() error {
	switch {
	case !share(d.Cosine):
		return bad("duplicates.cosine", "%g is not within 0 and 1", d.Cosine)
	case d.Recent < 0 || d.Recent > mostRecent:
		return bad("duplicates.recent", "%d is not within 0 and %d", d.Recent, mostRecent)
	}
	return nil
}

// Known is an item that the viewer knows already.
type Known struct {
	Item   *shelf.Item
	Vector []float32 // nil where it has none
}

// same returns the item, of the page or of those known, that a candidate is
// another copy of.
func (a *arranger) same(i int) (*shelf.Item, bool) {
	r := &a.ranked[i]
	for _, k := range a.Seen {
		if k.Item.Item.ID != r.Item.Item.ID && a.copies(r.Item, r.Vector, k.Item, k.Vector) {
			return k.Item, true
		}
	}
	for _, at := range a.order {
		if at >= 0 && a.one(i, at) {
			return a.ranked[at].Item, true
		}
	}
	return nil, false
}

// one reports whether two candidates are the same.
func (a *arranger) one(i, j int) bool {
	x, y := &a.ranked[i], &a.ranked[j]
	return a.copies(x.Item, x.Vector, y.Item, y.Vector)
}

func (a *arranger) copies(x *shelf.Item, v []float32, y *shelf.Item, w []float32) bool {
	if x.Content == y.Content {
		return true
	}
	return a.Near > 0 && v != nil && w != nil && mayBeOne(&x.Item, &y.Item) && reaches(v, w, float32(a.Near))
}

// mayBeOne reports whether nothing but their vectors tells two items apart: the
// episodes of a series are told about in much the same words.
func mayBeOne(x, y *upnext.Item) bool {
	switch {
	case x.Kind != y.Kind, x.SeriesID != "" && x.SeriesID == y.SeriesID:
		return false
	case x.Duration == 0 || y.Duration == 0:
		return true
	}
	return (x.Duration - y.Duration).Abs() <= max(x.Duration, y.Duration)/20 // a copy may be cut a little
}

// headDims is how much of two vectors is looked at first.
const headDims = 48

// reaches reports whether the cosine of two unit vectors is at least some
// bound. Most pairs are told apart by their heads: what the tails can add is
// bounded by their lengths (Cauchy and Schwarz).
func reaches(v, w []float32, least float32) bool {
	if len(v) != len(w) {
		return false
	}
	if len(v) > 2*headDims {
		a, b := v[:headDims], w[:headDims]
		tails := math.Sqrt(math.Max(0, float64(1-vec.Dot(a, a))) * math.Max(0, float64(1-vec.Dot(b, b))))
		if float64(vec.Dot(a, b))+tails < float64(least)-1e-4 { // for the rounding
			return false
		}
	}
	return vec.Dot(v, w) >= least
}
