package collab

import (
	"slices"

	"upnext/learn"
	"upnext/learn/matrix"
)

// takes is who took to what: a row a viewer, a 1 for each item of theirs, once
// however often they came back.
func takes(log learn.Log) matrix.Sparse {
	s := matrix.Sparse{Columns: log.Items, Start: make([]int, 1, len(log.Viewers)+1)}
	last := make([]int, log.Items) // the viewer who took the item last, from 1
	for v, h := range log.Viewers {
		from := len(s.Column)
		for _, item := range h.Items {
			if last[item] != v+1 {
				last[item] = v + 1
				s.Column = append(s.Column, item)
			}
		}
		slices.Sort(s.Column[from:])
		s.Start = append(s.Start, len(s.Column))
	}
	s.Value = slices.Repeat([]float32{1}, len(s.Column))
	return s
}

// degrees is how many rows hold each column.
func degrees(s matrix.Sparse) []float64 {
	n := make([]float64, s.Columns)
	for _, c := range s.Column {
		n[c]++
	}
	return n
}
