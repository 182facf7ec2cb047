package collab

import (
	"math"
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

// evened divides a viewer's takes by the root of length^even, so that in a Gram
// matrix their pairs count length^-even, then all so that a take counts 1 on
// average: one who took to everything says less about what goes together.
func evened(s matrix.Sparse, even float64) {
	if even == 0 {
		return
	}
	var sum float64
	weight := func(v int) float64 { return math.Pow(float64(s.Start[v+1]-s.Start[v]), -even) }
	for v := range s.Rows() {
		if n := s.Start[v+1] - s.Start[v]; n > 0 {
			sum += float64(n) * weight(v)
		}
	}
	mean := sum / float64(len(s.Column))
	for v := range s.Rows() {
		_, values := s.Row(v)
		for k := range values {
			values[k] = float32(math.Sqrt(weight(v) / mean))
		}
	}
}

// masses is how much each column counts in a Gram matrix: its diagonal.
func masses(s matrix.Sparse) []float64 {
	n := make([]float64, s.Columns)
	for k, c := range s.Column {
		n[c] += float64(s.Value[k]) * float64(s.Value[k])
	}
	return n
}

// denoised is what dropout of a share of the inputs adds to an item's own
// variance, in closed form (Steck, "Autoencoders that don't overfit towards the
// Identity", NeurIPS 2020): share/(1-share) of it.
func denoised(share float64) float32 { return float32(share / (1 - share)) }

// degrees is how many rows hold each column.
func degrees(s matrix.Sparse) []float64 {
	n := make([]float64, s.Columns)
	for _, c := range s.Column {
		n[c]++
	}
	return n
}
