package matrix

import (
	"math"

	"upnext/learn/kernel"
)

// Small solves A·x = b for one small system after another in the same memory,
// on one processor: some dozens to a thousand unknowns.
type Small struct {
	A []float32 // n × n, of which the upper triangle is read; Solve uses it up
	B []float32 // n; Solve leaves x in it
	n int

	minus []float32 // rows of U, negated
}

// tile is how many rows are factored one by one before the others follow.
const tile = 32

// NewSmall makes room for n unknowns.
func NewSmall(n int) *Small {
	return &Small{A: make([]float32, n*n), B: make([]float32, n), n: n, minus: make([]float32, tile*n)}
}

// Resize takes n unknowns from now on; A and B hold anything.
func (s *Small) Resize(n int) {
	if cap(s.A) < n*n || cap(s.B) < n {
		*s = *NewSmall(n)
		return
	}
	s.A, s.B, s.n = s.A[:n*n], s.B[:n], n
}

// Solve reports false where A is not positive definite: B holds anything then.
func (s *Small) Solve() bool {
	level, n := kernel.Best(), s.n
	for k := 0; k < n; k += tile {
		height := min(tile, n-k)
		for i := k; i < k+height; i++ {
			row := s.A[i*n : (i+1)*n]
			if !(row[i] > 0) || row[i] > math.MaxFloat32 {
				return false
			}
			by := float32(1 / math.Sqrt(float64(row[i])))
			for j := i; j < n; j++ {
				row[j] *= by
			}
			for r := i + 1; r < k+height; r++ {
				level.Axpy(s.A[r*n+r:(r+1)*n], -row[r], row[r:])
			}
		}
		rest := k + height
		if rest == n {
			break
		}
		for i := range height {
			minus := s.minus[i*n : (i+1)*n]
			for j, v := range s.A[(k+i)*n+rest : (k+i+1)*n] {
				minus[j] = -v
			}
		}
		// A strip of rows a time: what is left of the diagonal stays untouched.
		for r := rest; r < n; r += 2 * tile {
			level.Gemm(min(2*tile, n-r), n-r, height, kernel.Rows(s.minus[r-rest:], n).T(), kernel.Rows(s.A[k*n+r:], n), kernel.Rows(s.A[r*n+r:], n), true)
		}
	}
	for i := range n { // Uᵀy = b
		s.B[i] /= s.A[i*n+i]
		level.Axpy(s.B[i+1:], -s.B[i], s.A[i*n+i+1:(i+1)*n])
	}
	for i := n - 1; i >= 0; i-- { // Ux = y
		s.B[i] = (s.B[i] - level.Dot(s.A[i*n+i+1:(i+1)*n], s.B[i+1:])) / s.A[i*n+i]
	}
	return true
}
