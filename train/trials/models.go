package trials

import (
	"slices"
	"time"

	"upnext/learn"
	"upnext/learn/collab"
	"upnext/learn/content"
	"upnext/learn/sequence"
)

// entry is a model of the table: a Fitter with the settings that were chosen on
// the cases to tune by, or a blend of others.
type entry struct {
	name   string
	fitter func(seed uint64) learn.Fitter
	parts  []string // of a blend, the strongest first; it has no fitter
	small  bool     // parts[0], its items' vectors in 8 bits a number
	seeded bool     // seeds make a difference
	refit  bool     // has a row of its own when fitted on train and validation
	holds  bool     // validates by each viewer's newest act, which it takes out of the log by itself
	named  bool     // takes long, and is tried only when named
}

// fixed is an entry whose Fitter draws nothing.
func fixed(name string, f learn.Fitter) entry {
	return entry{name: name, refit: true, fitter: func(uint64) learn.Fitter { return f }}
}

// entries are the models that are measured by a protocol.
func entries(e exam) []entry {
	switch e.protocol {
	case "cold":
		return newcomers(e)
	case "gowalla":
		return places()
	case "microlens50k":
		return clips()
	case "ml100k":
		return rated()
	}
	return films()
}

// films are the models of MovieLens 1M. The networks take up to an hour.
func films() []entry {
	sasrec := func(seed uint64) learn.Fitter {
		return sequence.SASRec{Dropout: .2, Training: sequence.Training{Crop: .3, Decay: .5, Average: .998, Every: 5, Seed: seed}}
	}
	return append(closed(collab.EASE{}, collab.Ridge{}, collab.IALS{Factors: 64, Decay: collab.Decay{Tau: 20, Floor: .1}}),
		network("sasrec", sasrec),
		network("second sasrec", func(seed uint64) learn.Fitter { return sasrec(seed + 100) }),
		network("third sasrec", func(seed uint64) learn.Fitter { return sasrec(seed + 200) }),
		network("gru", func(seed uint64) learn.Fitter {
			return sequence.GRU{Hidden: 192, Dropout: .2, Training: sequence.Training{Epochs: 20, Crop: .3, Decay: .5, Average: .998, Every: 4, Seed: seed}}
		}),
		inBytes("sasrec"), inBytes("gru"),
		mixed("gru + ridge", "gru", "ridge"),
		mixed("sasrec + ridge", "sasrec", "ridge"),
		mixed("sasrec + ridge + ease", "sasrec", "ridge", "ease"),
		mixed("sasrec + gru + ridge", "sasrec", "gru", "ridge"),
		mixed("two sasrec + ridge + ease", "sasrec", "second sasrec", "ridge", "ease"),
		mixed("three sasrec + ridge + ease", "sasrec", "second sasrec", "third sasrec", "ridge", "ease"),
	)
}

// closed are the models that take no more than a minute at MovieLens' size.
func closed(ease collab.EASE, ridge collab.Ridge, ials collab.IALS) []entry {
	return []entry{
		fixed("popular", collab.Popular{}),
		fixed("item-item", collab.ItemItem{Shrink: 5}),
		fixed("ease", ease),
		fixed("ridge", ridge),
		{name: "ials", seeded: true, refit: true, fitter: func(seed uint64) learn.Fitter { ials.Seed = seed; return ials }},
		{name: "ridge + ease", refit: true, parts: []string{"ridge", "ease"}},
	}
}

// network is an entry that is fitted by gradients: seeded, slow.
func network(name string, fitter func(seed uint64) learn.Fitter) entry {
	return entry{name: name, seeded: true, named: true, holds: true, fitter: fitter}
}

// inBytes is a network as it is stored small.
func inBytes(of string) entry {
	return entry{name: of + " in 8 bits", seeded: true, named: true, parts: []string{of}, small: true}
}

// mixed is a blend that holds a network. In its refit the network stays: it has seen
// what is to tune by as its validation.
func mixed(name string, parts ...string) entry {
	return entry{name: name, seeded: true, named: true, refit: true, parts: parts}
}

// rated are the models of MovieLens 100K, the one set with times.
func rated() []entry {
	wide := []collab.Decay{{Weight: 1, Tau: 5, Last: 10}, {Weight: .5, Tau: 40, Last: 100}}
	return append(closed(collab.EASE{Lambda: 300, Decay: collab.Decay{Tau: 10, Floor: .1}}, collab.Ridge{Lambda: 2000, Scales: wide},
		collab.IALS{Factors: 64, Lambda: .01, Alpha: .3, Decay: collab.Decay{Tau: 20, Floor: .1}}),
		fixed("popular lately", collab.Popular{HalfLife: 90 * 24 * time.Hour}))
}

// clips are the models of MicroLens, whose catalogue's square is large.
func clips() []entry {
	return []entry{
		fixed("popular", collab.Popular{}),
		fixed("item-item", collab.ItemItem{}),
		fixed("sparse ease", collab.SparseEASE{Neighbours: 100}),
		{name: "ials", seeded: true, refit: true, fitter: func(seed uint64) learn.Fitter {
			return collab.IALS{Factors: 64, Seed: seed, Decay: collab.Decay{Tau: 4, Floor: .1}}
		}},
		{name: "sparse ease + item-item", refit: true, parts: []string{"sparse ease", "item-item"}},
		network("sasrec", func(seed uint64) learn.Fitter {
			return sequence.SASRec{Length: 50, Dropout: .4, Training: sequence.Training{Epochs: 12, Batch: 128, Decay: .5, Every: 3, Seed: seed}}
		}),
		mixed("sasrec + sparse ease", "sasrec", "sparse ease"),
	}
}

// places are the models of Gowalla, whose log has no order: all of a history
// counts alike.
func places() []entry {
	alike := collab.Decay{Floor: 1}
	return []entry{
		fixed("popular", collab.Popular{}),
		fixed("item-item", collab.ItemItem{Decay: alike}),
		fixed("sparse ease", collab.SparseEASE{Neighbours: 200, Decay: alike}),
		fixed("graph filter", collab.GraphFilter{Factors: 448}),
		{name: "ials", seeded: true, fitter: func(seed uint64) learn.Fitter { return collab.IALS{Factors: 64, Seed: seed} }},
		{name: "sparse ease + graph filter", parts: []string{"sparse ease", "graph filter"}},
	}
}

// newcomers are the models that can place an item nobody has seen: by its content
// alone; by a map from content to what EASE makes of behaviour; by both. A model
// of behaviour alone never recommends them.
func newcomers(e exam) []entry {
	by := func(what string, decay float64) entry {
		return fixed("content: "+what, content.Nearest{Vectors: e.vectors[what], Decay: decay})
	}
	spread := content.Spread{Of: collab.EASE{}, Vectors: e.vectors["fused"], Lambda: 10, Support: 100}
	return []entry{
		fixed("ease", collab.EASE{}),
		by("text", 3), by("image", 8), by("fused", 5),
		fixed("learned map: ease by fused", spread),
		{name: "content: fused + learned map", parts: []string{"content: fused", "learned map: ease by fused"}},
	}
}

// find is the entry of that name, which is there.
func find(all []entry, name string) entry {
	return all[slices.IndexFunc(all, func(en entry) bool { return en.name == name })]
}
