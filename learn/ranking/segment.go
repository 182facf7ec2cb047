package ranking

import (
	"cmp"
	"slices"

	"upnext/learn"
	"upnext/learn/split"
)

// Segment is a part of the cases whose rows stand apart.
type Segment struct {
	Name string
	In   []bool // by case
}

// ColdViewers are the cases with the shortest histories: a fifth of them, and
// all those of the same length as the longest among these.
func ColdViewers(cases []split.Case) Segment {
	s := Segment{"cold viewers", make([]bool, len(cases))}
	if len(cases) == 0 {
		return s
	}
	lengths := make([]int, len(cases))
	for i, c := range cases {
		lengths[i] = len(c.History.Items)
	}
	short := slices.Sorted(slices.Values(lengths))[(len(cases)-1)/5]
	for i, n := range lengths {
		s.In[i] = n <= short
	}
	return s
}

// LongTail are the cases of whose targets more than half are in the tail: the
// least popular items that together have no more than a fifth of the log's
// acts, equals by number.
func LongTail(cases []split.Case, log learn.Log) Segment {
	counts, acts := make([]int, log.Items), 0
	for _, h := range log.Viewers {
		for _, item := range h.Items {
			counts[item]++
		}
		acts += len(h.Items)
	}
	order := make([]int, log.Items)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(counts[a], counts[b]), cmp.Compare(a, b)) })
	tail, sum := make([]bool, log.Items), 0
	for _, item := range order {
		if sum += counts[item]; 5*sum > acts {
			break
		}
		tail[item] = true
	}
	s := Segment{"long tail", make([]bool, len(cases))}
	for i, c := range cases {
		in := 0
		for _, t := range c.Targets {
			if tail[t] {
				in++
			}
		}
		s.In[i] = 2*in > len(c.Targets)
	}
	return s
}

// Of returns the values of the segment's cases.
func (s Segment) Of(values []float64) []float64 {
	var out []float64
	for i, v := range values {
		if s.In[i] {
			out = append(out, v)
		}
	}
	return out
}
