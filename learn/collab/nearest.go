package collab

import (
	"cmp"
	"container/heap"
	"slices"

	"upnext/learn/matrix"
)

// nearest keeps the n pairs of the largest value, equals by the smaller column,
// and returns them by column. It reorders pairs and returns a part of it.
func nearest(pairs []matrix.Pair, n int) []matrix.Pair {
	if n < len(pairs) {
		worst := worstFirst(pairs[:n])
		heap.Init(worst)
		for _, p := range pairs[n:] {
			if better(p, worst[0]) {
				worst[0] = p
				heap.Fix(worst, 0)
			}
		}
		pairs = pairs[:n]
	}
	slices.SortFunc(pairs, func(a, b matrix.Pair) int { return cmp.Compare(a.Column, b.Column) })
	return pairs
}

func better(a, b matrix.Pair) bool {
	return a.Value > b.Value || a.Value == b.Value && a.Column < b.Column
}

// worstFirst is a heap of pairs; none is added or taken.
type worstFirst []matrix.Pair

func (w worstFirst) Len() int           { return len(w) }
func (w worstFirst) Less(i, j int) bool { return better(w[j], w[i]) }
func (w worstFirst) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w worstFirst) Push(any)           {}
func (w worstFirst) Pop() any           { return nil }

// gathered makes sparse weights of the pairs of each row.
func gathered(rows [][]matrix.Pair, columns int) *weights {
	w := &weights{rows: len(rows), columns: columns, start: make([]int32, 1, len(rows)+1)}
	for _, row := range rows {
		for _, p := range row {
			w.column, w.value = append(w.column, p.Column), append(w.value, p.Value)
		}
		w.start = append(w.start, int32(len(w.column)))
	}
	return w
}

// turned makes them of the pairs of each column: p.Column is the row there.
func turned(columns [][]matrix.Pair, rows int) *weights {
	turned := make([][]matrix.Pair, rows)
	for c, pairs := range columns {
		for _, p := range pairs {
			turned[p.Column] = append(turned[p.Column], matrix.Pair{Column: int32(c), Value: p.Value})
		}
	}
	return gathered(turned, len(columns))
}
