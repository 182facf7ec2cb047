package trials

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"upnext/learn"
	"upnext/learn/attack"
	"upnext/learn/split"
	"upnext/train/datasets"
)

// robustSeed is that of all damage of protocol robust.
const robustSeed = 1

// lateBy is how many later acts a late one may arrive behind.
const lateBy = 10

// variant is a sitting under damage.
type variant struct {
	name string
	sitting
	pushed int32 // what fake profiles push, if they do
	fakes  bool
}

// robust is ml1m-loo clean and damaged: fake viewers in what models are fitted
// on, pushing an item that hardly anybody took to; acts that never arrived or
// arrived late, in what models are fitted on and in what they are asked with. What
// is asked for, and what it is ranked among, stays the same.
func robust(dir string) (exam, error) {
	set, err := datasets.ML1M(dir)
	if err != nil {
		return exam{}, err
	}
	e := newest("robust", set.Log)
	e.columns = []string{"hr@10", pushedColumn, "ndcg@10"}
	e.refit, e.known = sitting{}, learn.Log{}
	e.variants = damaged(e.test)
	return e, nil
}

// damaged lists the variants of a sitting, the clean one first.
func damaged(clean sitting) []variant {
	pushed := attack.Unpopular(clean.log)
	out := []variant{{name: "clean", sitting: clean, pushed: pushed, fakes: true}}
	for _, kind := range []struct {
		name string
		make func(learn.Log, int32, float64, uint64) learn.Log
	}{{"random", attack.Random}, {"bandwagon", attack.Bandwagon}} {
		for _, share := range []float64{.01, .05} {
			log := kind.make(clean.log, pushed, share, robustSeed)
			out = append(out, variant{fmt.Sprintf("%s fakes %.0f %%", kind.name, 100*share), sitting{log, clean.cases}, pushed, true})
		}
	}
	for _, share := range []float64{.1, .3} {
		out = append(out,
			variant{name: fmt.Sprintf("%.0f %% dropped", 100*share), sitting: clean.under(func(h learn.History, r *rand.Rand) learn.History {
				return attack.Dropped(h, share, r)
			})},
			variant{name: fmt.Sprintf("%.0f %% late", 100*share), sitting: clean.under(func(h learn.History, r *rand.Rand) learn.History {
				return attack.Delayed(h, share, lateBy, r)
			})})
	}
	return out
}

// under damages the log's histories and the cases', which have seen all the same.
func (s sitting) under(damage func(learn.History, *rand.Rand) learn.History) sitting {
	out := sitting{attack.Each(s.log, robustSeed, damage), make([]split.Case, len(s.cases))}
	for i, c := range s.cases {
		c.Seen = slices.Concat(c.Seen, c.History.Items)
		c.History = damage(c.History, rand.New(rand.NewPCG(robustSeed, uint64(c.Viewer))))
		out.cases[i] = c
	}
	return out
}
