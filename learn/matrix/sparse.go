// Package matrix holds the algebra that collaborative models are made of, at
// the size of a catalogue: sparse rows and their products, the Cholesky
// factorisation of a dense symmetric matrix with its inverse and solutions, and
// the leading singular vectors of a sparse one.
//
// Work is shared by all processors and cut so that no sum depends on how many
// they are: equal inputs give equal results, to the bit.
package matrix

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Sparse is a matrix of sparse rows: row i holds Value[k] in column Column[k]
// for the k of Start[i] ≤ k < Start[i+1], columns rising.
type Sparse struct {
	Columns int
	Start   []int // one more than there are rows
	Column  []int32
	Value   []float32
}

// Rows is how many rows there are.
func (s Sparse) Rows() int { return len(s.Start) - 1 }

// Row is the columns and values of row i.
func (s Sparse) Row(i int) ([]int32, []float32) {
	return s.Column[s.Start[i]:s.Start[i+1]], s.Value[s.Start[i]:s.Start[i+1]]
}

// T is the transposed matrix.
func (s Sparse) T() Sparse {
	t := Sparse{Columns: s.Rows(), Start: make([]int, s.Columns+1), Column: make([]int32, len(s.Column)), Value: make([]float32, len(s.Value))}
	for _, c := range s.Column {
		t.Start[c+1]++
	}
	for c := range s.Columns {
		t.Start[c+1] += t.Start[c]
	}
	next := append([]int(nil), t.Start[:s.Columns]...)
	for i := range s.Rows() {
		columns, values := s.Row(i)
		for k, c := range columns {
			t.Column[next[c]], t.Value[next[c]] = int32(i), values[k]
			next[c]++
		}
	}
	return t
}

// Each calls do(i, worker) for every i in [0, n), on all processors, in any
// order: what do writes must depend on i alone. Workers are numbered from 0 to
// Workers()-1, for buffers.
func Each(n int, do func(i, worker int)) {
	var next atomic.Int64
	var working sync.WaitGroup
	for w := range min(Workers(), n) {
		working.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i, w)
			}
		})
	}
	working.Wait()
}

// Workers is how many goroutines share the work.
func Workers() int { return runtime.GOMAXPROCS(0) }
