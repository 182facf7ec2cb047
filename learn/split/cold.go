package split

import (
	"math/rand/v2"
	"slices"

	"upnext/learn"
)

// Cold chooses a share of the items by seed, to be new: round(share · items) of
// them, cold[i] saying whether item i is one. The choice knows nothing of the
// log, so that models and machines agree on it.
func Cold(items int, share float64, seed uint64) []bool {
	cold := make([]bool, items)
	n := min(items, int(share*float64(items)+.5))
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(items)[:n] {
		cold[i] = true
	}
	return cold
}

// Without is the log as if the cold items had not been there yet.
func Without(log learn.Log, cold []bool) learn.Log {
	out := learn.Log{Items: log.Items, Viewers: make([]learn.History, len(log.Viewers))}
	for v, h := range log.Viewers {
		out.Viewers[v] = without(h, cold)
	}
	return out
}

// Newcomers are the cases that have cold items among their targets, reduced to
// these. No history holds a cold item any more; those it held are no answers
// either, as the viewer has seen them: they move to Seen.
func Newcomers(cases []Case, cold []bool) []Case {
	var out []Case
	for _, c := range cases {
		var targets []int32
		for _, t := range c.Targets {
			if cold[t] {
				targets = append(targets, t)
			}
		}
		if len(targets) == 0 {
			continue
		}
		seen := slices.Clone(c.Seen)
		for _, item := range c.History.Items {
			if cold[item] {
				seen = append(seen, item)
			}
		}
		out = append(out, Case{Viewer: c.Viewer, History: without(c.History, cold), Seen: seen, Targets: targets})
	}
	return out
}

// without is the history less the cold items.
func without(h learn.History, cold []bool) learn.History {
	var out learn.History
	for i, item := range h.Items {
		if cold[item] {
			continue
		}
		out.Items = append(out.Items, item)
		if h.At != nil {
			out.At = append(out.At, h.At[i])
		}
	}
	return out
}
