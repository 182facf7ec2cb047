package train

import (
	"fmt"
	"slices"
	"strings"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/collab"
)

// dense is how many items a model may have that keeps a number for each pair:
// beyond it the sparse form takes its place.
const dense = 15_000

// Models are the names that Fitters knows.
var Models = []string{"popular", "itemitem", "ease", "ridge", "ials"}

// Fitters are the models by name, as the catalogue's size allows; nil names are
// all that take no longer than minutes.
func Fitters(log learn.Log, names []string, seed uint64) ([]learn.Fitter, error) {
	if len(names) == 0 {
		names = Models
	}
	var list []learn.Fitter
	for _, name := range names {
		f := fitter(name, log, seed)
		if f == nil {
			return nil, fmt.Errorf("model %q: there are %s: %w", name, strings.Join(Models, ", "), upnext.ErrInvalid)
		}
		if !slices.ContainsFunc(list, func(have learn.Fitter) bool { return have.Name() == f.Name() }) {
			list = append(list, f)
		}
	}
	return list, nil
}

func fitter(name string, log learn.Log, seed uint64) learn.Fitter {
	switch name {
	case "popular":
		return collab.Popular{}
	case "itemitem":
		return collab.ItemItem{}
	case "ease":
		return collab.EASE{}
	case "ridge":
		return collab.Ridge{MaxItems: dense}
	case "ials":
		return collab.IALS{Seed: seed}
	}
	return nil
}

// Load makes a model of a bundle out of its artefact.
func Load(a artefact.Artefact) (learn.Model, error) { return collab.Load(a) }
