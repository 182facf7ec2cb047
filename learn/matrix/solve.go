package matrix

import (
	"context"

	"upnext/learn/kernel"
)

// Solve replaces the n × columns matrix b by A⁻¹b. Its columns are shared out
// among the processors.
func (f *Factor) Solve(ctx context.Context, b []float32, columns int) error {
	// 8 strips a time keep the buffers small and the context watched.
	parts := (columns + 4*side - 1) / (4 * side)
	buffers := make([][]float32, Workers())
	Each(parts, func(part, worker int) {
		if buffers[worker] == nil {
			buffers[worker] = make([]float32, side*4*side)
		}
		from := part * 4 * side
		f.solve(ctx, b[from:], columns, min(4*side, columns-from), buffers[worker])
	})
	return ctx.Err()
}

// solve does it for wide columns of rows that begin stride apart.
func (f *Factor) solve(ctx context.Context, b []float32, stride, wide int, buffer []float32) {
	level, n := kernel.Best(), f.n
	// Forward: y_k = U_kkᵀ⁻¹ (b_k - Σ_i<k U_ikᵀ y_i).
	for k := 0; k < n && ctx.Err() == nil; k += side {
		height := min(side, n-k)
		block := kernel.Rows(b[k*stride:], stride)
		level.Gemm(height, wide, k, kernel.Rows(f.u[k:], n).T(), kernel.Rows(b, stride), block, true)
		level.Gemm(height, wide, height, kernel.Rows(f.u[k*n+k:], n).T(), block, kernel.Rows(buffer, wide), false)
		for i := range height {
			copy(b[(k+i)*stride:][:wide], buffer[i*wide:])
		}
	}
	// Backward: x_k = U_kk⁻¹ (y_k - Σ_j>k U_kj x_j).
	for k := (n - 1) / side * side; k >= 0 && ctx.Err() == nil; k -= side {
		height := min(side, n-k)
		block := kernel.Rows(b[k*stride:], stride)
		if rest := k + height; rest < n {
			level.Gemm(height, wide, n-rest, kernel.Rows(f.u[k*n+rest:], n), kernel.Rows(b[rest*stride:], stride), block, true)
		}
		level.Gemm(height, wide, height, kernel.Rows(f.u[k*n+k:], n), block, kernel.Rows(buffer, wide), false)
		for i := range height {
			copy(b[(k+i)*stride:][:wide], buffer[i*wide:])
		}
	}
}

// Inverse gives A⁻¹, n × n, in the factor's own memory: the factor is used up.
func (f *Factor) Inverse(ctx context.Context) ([]float32, error) {
	if err := f.invert(ctx); err != nil {
		return nil, err
	}
	return f.square(ctx)
}

// invert replaces U by V = U⁻¹, block row by block row from the last one up:
// V_ij = -U_ii⁻¹ Σ_i<k≤j U_ik V_kj.
func (f *Factor) invert(ctx context.Context) error {
	level, n := kernel.Best(), f.n
	sums := make([]float32, side*n)
	for i := (n - 1) / side * side; i >= 0; i -= side {
		height, rest := min(side, n-i), i+min(side, n-i)
		if err := ctx.Err(); err != nil {
			return err
		}
		parts := (n - rest + side - 1) / side
		Each(parts, func(part, _ int) { // the longest sums first
			j := rest + (parts-1-part)*side
			wide := min(side, n-j)
			level.Gemm(height, wide, j+wide-rest, kernel.Rows(f.u[i*n+rest:], n), kernel.Rows(f.u[rest*n+j:], n), kernel.Rows(sums[j:], n), false)
		})
		Each(parts, func(part, _ int) {
			j := rest + part*side
			level.Gemm(height, min(side, n-j), height, kernel.Rows(f.u[i*n+i:], n), kernel.Rows(sums[j:], n), kernel.Rows(f.u[i*n+j:], n), false)
		})
		f.clearBelow(i, height)
	}
	return nil
}

// clearBelow zeroes what lies left of a diagonal block: products of V's columns
// read it.
func (f *Factor) clearBelow(i, height int) {
	for r := i; r < i+height; r++ {
		clear(f.u[r*f.n : r*f.n+i])
	}
}

// square makes A⁻¹ = V Vᵀ of V: first the transposed V below the diagonal, then
// block row by block row, above it, A⁻¹_ij = Σ_k≥j V_ik V_jk.
func (f *Factor) square(ctx context.Context) ([]float32, error) {
	level, n := kernel.Best(), f.n
	Mirror(f.u, n)
	// A diagonal block is, whole, the transposed V's: zero above its diagonal.
	for r := range n {
		clear(f.u[r*n+r+1 : r*n+min(n, (r/side+1)*side)])
	}
	parts := (n + side - 1) / side
	corners := make([]float32, side*side)
	for p := range parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i := p * side
		height := min(side, n-i)
		Each(parts-p, func(part, _ int) {
			j := i + part*side
			wide := min(side, n-j)
			out := kernel.Rows(f.u[i*n+j:], n)
			if j == i { // it is still an input
				out = kernel.Rows(corners, side)
			}
			level.Gemm(height, wide, n-j, kernel.Rows(f.u[j*n+i:], n).T(), kernel.Rows(f.u[j*n+j:], n), out, false)
		})
		for r := range height {
			copy(f.u[(i+r)*n+i:][:height], corners[r*side:])
		}
	}
	Mirror(f.u, n)
	return f.u, nil
}
