package matrix

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"upnext"
	"upnext/learn/kernel"
)

// Leading finds the k largest eigenvalues of SᵀS, which are the squared singular
// values of S, and their eigenvectors, columns × k: column i of S is row i of
// them. Subspace iteration from a random start (Halko, Martinsson, Tropp 2011)
// with some vectors to spare; of as many sweeps the leading ones are exact first.
// Where S has less rank, the values behind it are 0 and so are their vectors.
func Leading(ctx context.Context, s Sparse, k, sweeps int, seed uint64) (values, vectors []float32, err error) {
	n := s.Columns
	k = min(k, n, s.Rows())
	wide := min(k+k/8+8, n, s.Rows())
	if k < 1 || sweeps < 1 {
		return nil, nil, fmt.Errorf("%d eigenvectors in %d sweeps: %w", k, sweeps, upnext.ErrInvalid)
	}
	rng := rand.New(rand.NewPCG(seed, 0x51))
	q := make([]float32, n*wide)
	for i := range q {
		q[i] = float32(rng.NormFloat64())
	}
	t, half := s.T(), make([]float32, s.Rows()*wide)
	q = orthonormal(q, wide)
	for range sweeps {
		s.times(q, wide, half)
		t.times(half, wide, q)
		if q = orthonormal(q, wide); ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
	}
	// Rayleigh and Ritz: within the subspace the problem is a small one.
	s.times(q, wide, half)
	all, turns := Eigen(wider(Square(half, wide)), wide)
	values = make([]float32, k)
	rotation := make([]float32, wide*k)
	for v := range k {
		if all[v] > 1e-6*all[0] {
			values[v] = float32(all[v])
			for i := range wide {
				rotation[i*k+v] = float32(turns[v*wide+i])
			}
		}
	}
	return values, product(q, wide, rotation, k), nil
}

// times sets out to S·x, x being columns × wide.
func (s Sparse) times(x []float32, wide int, out []float32) {
	level := kernel.Best()
	Each((s.Rows()+strip-1)/strip, func(part, _ int) {
		for i := part * strip; i < min(s.Rows(), (part+1)*strip); i++ {
			sum := out[i*wide : (i+1)*wide]
			clear(sum)
			columns, values := s.Row(i)
			for k, c := range columns {
				level.Axpy(sum, values[k], x[int(c)*wide:(int(c)+1)*wide])
			}
		}
	})
}

// orthonormal makes the columns of y, rows × wide, orthonormal: by its Gram
// matrix's Cholesky factor, or where that fails by its eigenvectors, columns
// without a part of their own becoming 0.
func orthonormal(y []float32, wide int) []float32 {
	gram := Square(y, wide)
	g := wider(gram)
	if _, ok := cholesky64(g, wide); ok && steady(g, wide) {
		invert64(g, wide)
		return product(y, wide, narrower(g), wide)
	}
	values, vectors := Eigen(wider(gram), wide)
	turn := make([]float32, wide*wide)
	for v := range wide {
		if values[v] > 1e-6*values[0] {
			by := 1 / math.Sqrt(values[v])
			for i := range wide {
				turn[i*wide+v] = float32(vectors[v*wide+i] * by)
			}
		}
	}
	return product(y, wide, turn, wide)
}

// steady reports whether a factor is far enough from singular for float32.
func steady(u []float64, n int) bool {
	least, most := u[0], u[0]
	for i := range n {
		least, most = min(least, u[i*n+i]), max(most, u[i*n+i])
	}
	return least > 1e-2*most
}

// Square is HᵀH, wide × wide, of rows of wide. It is the sum of sums over parts
// whose number depends on the rows alone.
func Square(h []float32, wide int) []float32 {
	const deep = 2048
	n := len(h) / wide
	parts := max(1, (n+deep-1)/deep)
	sums := make([][]float32, parts)
	Each(parts, func(p, _ int) {
		sums[p] = make([]float32, wide*wide)
		rows := kernel.Rows(h[p*deep*wide:], wide)
		kernel.Best().Gemm(wide, wide, min(deep, n-p*deep), rows.T(), rows, kernel.Rows(sums[p], wide), false)
	})
	for _, s := range sums[1:] {
		kernel.Best().Axpy(sums[0], 1, s)
	}
	return sums[0]
}

// product is y·m, y of rows of wide, m wide × columns.
func product(y []float32, wide int, m []float32, columns int) []float32 {
	n := len(y) / wide
	out := make([]float32, n*columns)
	const tall = 192
	Each((n+tall-1)/tall, func(part, _ int) {
		i := part * tall
		kernel.Best().Gemm(min(tall, n-i), columns, wide, kernel.Rows(y[i*wide:], wide), kernel.Rows(m, columns), kernel.Rows(out[i*columns:], columns), false)
	})
	return out
}

func wider(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func narrower(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}
