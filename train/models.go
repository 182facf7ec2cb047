package train

import (
	"fmt"
	"slices"
	"strings"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/collab"
	"upnext/learn/sequence"
)

// dense is how many items a model may have that keeps a number for each pair:
// beyond it the sparse form takes its place.
const dense = 15_000

// Models are the names of all models; Standard those that take minutes at most
// and are tried where none is named.
var (
	Standard = []string{"popular", "itemitem", "ease", "ridge", "ials"}
	Models   = append(slices.Clone(Standard), "sasrec", "gru")
)

// Checkpoints keeps the state of a model's fitting, by its name.
type Checkpoints func(model string) sequence.Checkpoint

// Fitters are the models by name, as the catalogue's size allows; no names are
// the Standard ones. A name that there is not is ErrInvalid.
func Fitters(log learn.Log, names []string, seed uint64, keep Checkpoints) ([]learn.Fitter, error) {
	if len(names) == 0 {
		names = Standard
	}
	var list []learn.Fitter
	for _, name := range names {
		f := fitter(name, log, seed, keep)
		if f == nil {
			return nil, fmt.Errorf("model %q: there are %s: %w", name, strings.Join(Models, ", "), upnext.ErrInvalid)
		}
		if !slices.ContainsFunc(list, func(have learn.Fitter) bool { return have.Name() == f.Name() }) {
			list = append(list, f)
		}
	}
	return list, nil
}

func fitter(name string, log learn.Log, seed uint64, keep Checkpoints) learn.Fitter {
	// As they were chosen on ML-1M's validation: docs/results.md.
	fitting := sequence.Training{Crop: .3, Decay: .5, Average: .998, Every: 5, Seed: seed}
	if keep != nil {
		fitting.Checkpoint = keep(name)
	}
	switch name {
	case "popular":
		return collab.Popular{}
	case "itemitem":
		return collab.ItemItem{}
	case "ease":
		if log.Items > dense {
			return collab.SparseEASE{}
		}
		return collab.EASE{}
	case "ridge":
		return collab.Ridge{MaxItems: dense / 2} // two numbers for each pair
	case "ials":
		return collab.IALS{Seed: seed}
	case "sasrec":
		return sequence.SASRec{Dropout: .2, Training: fitting}
	case "gru":
		fitting.Epochs, fitting.Every = 20, 4
		return sequence.GRU{Hidden: 192, Dropout: .2, Training: fitting}
	}
	return nil
}

// Load makes a model of a bundle out of its artefact.
func Load(a artefact.Artefact) (learn.Model, error) {
	if a.Kind == "sasrec" || a.Kind == "gru" {
		m, err := sequence.Load(a)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
	return collab.Load(a)
}
