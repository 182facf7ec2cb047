// Package split cuts a log into what models are fitted on and what they are
// asked for. Splits are plain functions of the log, and of a seed where chance
// has a part; they leave the log as it is and share its memory.
package split

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"upnext/learn"
)

// Case is one question to a model, and the truth.
type Case struct {
	Viewer  int           // in the log that was split
	History learn.History // what the model is asked with
	Seen    []int32       // items that are no answer though the history lacks them
	Targets []int32       // what the viewer took to next: the truth, never empty
}

// LeaveLast holds out each viewer's n newest acts: they are the targets of a
// case whose history is the rest, which is also what the viewer leaves in the
// log. Acts of one second are taken in the order of their item numbers. Viewers
// of n acts or fewer stay in the log whole and are not asked.
func LeaveLast(log learn.Log, n int) (learn.Log, []Case) {
	rest := learn.Log{Items: log.Items, Viewers: slices.Clone(log.Viewers)}
	var cases []Case
	for v, h := range log.Viewers {
		h = inOrder(h)
		at := len(h.Items) - n
		if n <= 0 || at <= 0 {
			continue
		}
		rest.Viewers[v] = until(h, at)
		cases = append(cases, Case{Viewer: v, History: rest.Viewers[v], Targets: h.Items[at:]})
	}
	return rest, cases
}

// AtTime holds out all acts from a moment on (Unix seconds): what was known by
// then is the log, and each viewer who acted later is asked once, with their
// history until then, which is empty for a newcomer. Repeats of what the
// history holds are no targets. Viewers without times stay whole.
func AtTime(log learn.Log, moment int64) (learn.Log, []Case) {
	rest := learn.Log{Items: log.Items, Viewers: slices.Clone(log.Viewers)}
	var cases []Case
	for v, h := range log.Viewers {
		if h.At == nil {
			continue
		}
		at, _ := slices.BinarySearch(h.At, moment)
		rest.Viewers[v] = until(h, at)
		var targets []int32
		for _, item := range h.Items[at:] {
			if !slices.Contains(h.Items[:at], item) && !slices.Contains(targets, item) {
				targets = append(targets, item)
			}
		}
		if len(targets) > 0 {
			cases = append(cases, Case{Viewer: v, History: rest.Viewers[v], Targets: targets})
		}
	}
	return rest, cases
}

// until is the history's first n acts; appending to it does not reach the rest.
func until(h learn.History, n int) learn.History {
	h.Items = h.Items[:n:n]
	if h.At != nil {
		h.At = h.At[:n:n]
	}
	return h
}

// inOrder is the history with acts of one second by item number. It is a copy
// where the order changes.
func inOrder(h learn.History) learn.History {
	sorted := true
	for i := 1; i < len(h.At) && sorted; i++ {
		sorted = h.At[i-1] < h.At[i] || h.Items[i-1] <= h.Items[i]
	}
	if sorted {
		return h
	}
	order := make([]int, len(h.Items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(h.At[a], h.At[b]), cmp.Compare(h.Items[a], h.Items[b]))
	})
	out := learn.History{Items: make([]int32, len(order)), At: make([]int64, len(order))}
	for i, o := range order {
		out.Items[i], out.At[i] = h.Items[o], h.At[o]
	}
	return out
}

// Share holds out a share of each viewer's acts, chosen by seed: for logs whose
// order means nothing. It is rounded down, so that no viewer loses all; those who
// lose none are not asked.
func Share(log learn.Log, share float64, seed uint64) (learn.Log, []Case) {
	rest := learn.Log{Items: log.Items, Viewers: slices.Clone(log.Viewers)}
	var cases []Case
	for v, h := range log.Viewers {
		n := min(len(h.Items)-1, int(share*float64(len(h.Items))))
		if n <= 0 {
			continue
		}
		// A stream a viewer: who else is in the log changes nothing.
		held := make([]bool, len(h.Items))
		for _, i := range rand.New(rand.NewPCG(seed, uint64(v))).Perm(len(h.Items))[:n] {
			held[i] = true
		}
		c := Case{Viewer: v}
		for i, item := range h.Items {
			if held[i] {
				c.Targets = append(c.Targets, item)
				continue
			}
			c.History.Items = append(c.History.Items, item)
			if h.At != nil {
				c.History.At = append(c.History.At, h.At[i])
			}
		}
		rest.Viewers[v] = c.History
		cases = append(cases, c)
	}
	return rest, cases
}
