package matrix

import "context"

// strip is how many rows are made between two looks at the context.
const strip = 64

// Gram returns SᵀS, dense, columns × columns. It costs the sum of the squared
// lengths of the rows.
func Gram(ctx context.Context, s Sparse) ([]float32, error) {
	n, t := s.Columns, s.T()
	g := make([]float32, n*n)
	// Row a of the result is the sum of the rows of S that hold a: a strip of it
	// stays in the cache. Only columns from a on are made, then mirrored.
	Each((n+strip-1)/strip, func(part, _ int) {
		for a := part * strip; a < min(n, (part+1)*strip) && ctx.Err() == nil; a++ {
			out := g[a*n : (a+1)*n]
			rows, weights := t.Row(a)
			for k, row := range rows {
				addTail(out, s, int(row), int32(a), weights[k])
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	Mirror(g, n)
	return g, nil
}

// addTail adds w times the part of a row from column a on.
func addTail(out []float32, s Sparse, row int, a int32, w float32) {
	columns, values := s.Row(row)
	for k := len(columns) - 1; k >= 0 && columns[k] >= a; k-- {
		out[columns[k]] += w * values[k]
	}
}

// Mirror copies the upper triangle of an n × n matrix to the lower.
func Mirror(a []float32, n int) {
	blocks := (n + strip - 1) / strip
	Each(blocks, func(bi, _ int) {
		for bj := bi; bj < blocks; bj++ { // a block at a time: both sides stay in the cache
			for i := bi * strip; i < min(n, (bi+1)*strip); i++ {
				for j := max(i+1, bj*strip); j < min(n, (bj+1)*strip); j++ {
					a[j*n+i] = a[i*n+j]
				}
			}
		}
	})
}
