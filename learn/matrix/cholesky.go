package matrix

import (
	"context"
	"fmt"
	"math"

	"upnext"
	"upnext/learn/kernel"
)

// side is the edge of a block. Blocks on the diagonal are factored in float64,
// all else is a float32 matrix product.
const side = 128

// Factor is the Cholesky factor of a symmetric positive definite A = UᵀU, U
// upper triangular. It holds one n × n matrix.
type Factor struct {
	n int
	// Above the diagonal blocks it is -U, as products only add; a diagonal block
	// is the inverse of U's, as nothing else of it is needed. Below: anything.
	u []float32
}

// Cholesky factors the n × n matrix in a, of which it reads the upper triangle
// and which it takes over. A matrix that is not positive definite, or not to
// the 7 digits of float32, is ErrInvalid; more regularisation helps.
func Cholesky(ctx context.Context, a []float32, n int) (*Factor, error) {
	f, level := &Factor{n, a}, kernel.Best()
	panel := make([]float32, side*n)
	for k := 0; k < n; k += side {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		height, rest := min(side, n-k), k+min(side, n-k)
		if err := f.pivot(k, height); err != nil {
			return nil, err
		}
		width := n - rest
		pivot := kernel.Rows(f.u[k*n+k:], n).T()
		// The block row of U is U_kkᵀ⁻¹ times A's.
		Each((width+side-1)/side, func(part, _ int) {
			from := part * side
			wide := min(side, width-from)
			level.Gemm(height, wide, height, pivot, kernel.Rows(f.u[k*n+rest+from:], n), kernel.Rows(panel[from:], width), false)
			for i := range height {
				row := f.u[(k+i)*n+rest+from:][:wide]
				for j, v := range panel[i*width+from:][:wide] {
					row[j] = -v
				}
			}
		})
		// What is left of A loses the row's product with itself.
		Each((width+side-1)/side, func(part, _ int) {
			i := part * side
			left := kernel.Rows(f.u[k*n+rest+i:], n).T()
			level.Gemm(min(side, width-i), width-i, height, left, kernel.Rows(panel[i:], width), kernel.Rows(f.u[(rest+i)*n+rest+i:], n), true)
		})
	}
	return f, nil
}

// pivot factors the diagonal block at k and leaves its factor's inverse, with
// zeros below the diagonal.
func (f *Factor) pivot(k, height int) error {
	u := make([]float64, height*height)
	for i := range height {
		for j := i; j < height; j++ {
			u[i*height+j] = float64(f.u[(k+i)*f.n+k+j])
		}
	}
	if at, ok := cholesky64(u, height); !ok {
		return fmt.Errorf("row %d of %d: the matrix is not positive definite: %w", k+at, f.n, upnext.ErrInvalid)
	}
	invert64(u, height)
	for i := range height {
		for j, v := range u[i*height:][:height] {
			f.u[(k+i)*f.n+k+j] = float32(v)
		}
	}
	return nil
}

// cholesky64 replaces the upper triangle of a by U, row by row; where the pivot
// of a row is not positive it gives that row and false.
func cholesky64(a []float64, n int) (int, bool) {
	for k := range n {
		row := a[k*n : (k+1)*n]
		if !(row[k] > 0) || math.IsInf(row[k], 0) {
			return k, false
		}
		root := math.Sqrt(row[k])
		for j := k; j < n; j++ {
			row[j] /= root
		}
		for i := k + 1; i < n; i++ {
			v, below := row[i], a[i*n:(i+1)*n]
			for j := i; j < n; j++ {
				below[j] -= v * row[j]
			}
		}
	}
	return 0, true
}

// invert64 replaces the upper triangle U by its inverse and clears the lower.
func invert64(u []float64, n int) {
	sum := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		// Row i of the inverse V: V_ii = 1/U_ii, V_ij = -V_ii · Σ_k>i U_ik V_kj.
		row := u[i*n : (i+1)*n]
		clear(sum)
		for k := i + 1; k < n; k++ {
			for j, v := range u[k*n+k : (k+1)*n] {
				sum[k+j] += row[k] * v
			}
		}
		row[i] = 1 / row[i]
		for j := i + 1; j < n; j++ {
			row[j] = -row[i] * sum[j]
		}
		clear(row[:i])
	}
}
