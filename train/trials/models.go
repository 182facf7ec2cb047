package trials

import (
	"upnext/learn"
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

// entries are the models that are measured by a protocol.
func entries(e exam) []entry {
	if e.protocol == "cold" {
		return newcomers(e)
	}
	return nil
}

// newcomers are the models that can place an item nobody has seen.
func newcomers(e exam) []entry {
	by := func(what string, decay float64) entry {
		return entry{name: "content: " + what, fitter: func(uint64) learn.Fitter {
			return content.Nearest{Vectors: e.vectors[what], Decay: decay}
		}}
	}
	return []entry{by("text", 5), by("image", 5), by("fused", 5)}
}
