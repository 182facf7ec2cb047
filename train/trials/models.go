package trials

import (
	"slices"
	"time"

	"upnext/learn"
	"upnext/learn/collab"
	"upnext/learn/content"
)

// entry is a model of the table: a Fitter with the settings that were chosen on
// the cases to tune by, or a blend of others.
type entry struct {
	name   string
	fitter func(seed uint64) learn.Fitter
	parts  []string // of a blend, the strongest first; it has no fitter
	seeded bool     // seeds make a difference
	refit  bool     // has a row of its own when fitted on train and validation
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
		return unordered()
	case "ml100k":
		lately := fixed("popular lately", collab.Popular{HalfLife: 90 * 24 * time.Hour}) // the one set with times
		return append(ordered(300, 64), lately)
	}
	return ordered(1000, 64)
}

// ordered are the models for logs that have an order.
func ordered(lambda float64, factors int) []entry {
	return []entry{
		fixed("popular", collab.Popular{}),
		fixed("item-item", collab.ItemItem{}),
		fixed("ease", collab.EASE{Lambda: lambda}),
		fixed("ridge", collab.Ridge{}),
		{name: "ials", seeded: true, refit: true, fitter: func(seed uint64) learn.Fitter {
			return collab.IALS{Factors: factors, Seed: seed, Decay: collab.Decay{Tau: 20, Floor: .1}}
		}},
		{name: "ridge + ease", refit: true, parts: []string{"ridge", "ease"}},
	}
}

// unordered are the models for logs that have none: all of a history counts alike.
func unordered() []entry {
	alike := collab.Decay{Floor: 1}
	return []entry{
		fixed("popular", collab.Popular{}),
		fixed("item-item", collab.ItemItem{Decay: alike}),
		{name: "ials", seeded: true, fitter: func(seed uint64) learn.Fitter { return collab.IALS{Factors: 64, Seed: seed, Decay: alike} }},
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
