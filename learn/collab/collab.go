// Package collab holds the collaborative models: who took to this also took to
// that. Each algorithm is a struct of settings, whose zero value is sensible,
// and a learn.Fitter; each model scores a history that it was never fitted on.
//
//	Popular      counts, of lately where times are known
//	ItemItem     cosine of items' viewers, nearest neighbours
//	EASE         closed form over all pairs of items (Steck 2019)
//	SparseEASE   the same over each item's neighbourhood, for large catalogues
//	Ridge        next item by regression on decayed histories
//	IALS         factors by alternating least squares (Hu 2008, Rendle 2021)
//	GraphFilter  low-pass filter on the graph of items (Shen 2021)
package collab

import (
	"fmt"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
)

// version is that of all the package's artefacts.
const version = 1

// Load reads a model of this package back. An artefact of another package, of
// another version or a damaged one is ErrInvalid.
func Load(a artefact.Artefact) (learn.Model, error) {
	m, err := load(a)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", a.Kind, err)
	}
	return m, nil
}

func load(a artefact.Artefact) (learn.Model, error) {
	if err := a.Expect(a.Kind, version); err != nil {
		return nil, err
	}
	switch a.Kind {
	case popular:
		return loadCounts(a)
	case itemItem, ease, sparseEASE, ridge:
		return loadLinear(a)
	case ials:
		return loadFactors(a)
	case graphFilter:
		return loadFilter(a)
	}
	return nil, fmt.Errorf("an artefact of kind %q, none of collab's: %w", a.Kind, upnext.ErrInvalid)
}

// The kinds: names of fitters, models and artefacts.
const (
	popular     = "popular"
	itemItem    = "itemitem"
	ease        = "ease"
	sparseEASE  = "sparse-ease"
	ridge       = "ridge"
	ials        = "ials"
	graphFilter = "graphfilter"
)

// items reads how many items an artefact's model knows.
func items(a artefact.Artefact) (int, error) {
	n, err := a.Int("items")
	if err == nil && (n < 2 || n > 1<<30) {
		err = fmt.Errorf("a model of %d items: %w", n, upnext.ErrInvalid)
	}
	return n, err
}
