package matrix

import "context"

// Pair is a column and its value.
type Pair struct {
	Column int32
	Value  float32
}

// GramRows calls do with every row of SᵀS, on all processors, in any order: the
// columns that it reaches, itself among them, each with its sum, in no order. A
// row is valid until do returns.
func GramRows(ctx context.Context, s Sparse, do func(a, worker int, row []Pair)) error {
	t := s.T()
	type sums struct {
		value   []float32
		reached []bool
		row     []Pair
	}
	buffers := make([]sums, Workers())
	Each(s.Columns, func(a, worker int) {
		if ctx.Err() != nil {
			return
		}
		b := &buffers[worker]
		if b.value == nil {
			b.value, b.reached = make([]float32, s.Columns), make([]bool, s.Columns)
		}
		b.row = b.row[:0]
		rows, weights := t.Row(a)
		for k, row := range rows {
			columns, values := s.Row(int(row))
			for j, c := range columns {
				if !b.reached[c] {
					b.reached[c] = true
					b.row = append(b.row, Pair{Column: c})
				}
				b.value[c] += weights[k] * values[j]
			}
		}
		for i, p := range b.row {
			b.row[i].Value = b.value[p.Column]
			b.value[p.Column], b.reached[p.Column] = 0, false
		}
		do(a, worker, b.row)
	})
	return ctx.Err()
}
