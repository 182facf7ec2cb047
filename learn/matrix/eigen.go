package matrix

import (
	"math"
	"slices"
)

// Eigen finds the eigenvalues of a symmetric n × n matrix, largest first, and
// their eigenvectors, one a row. It uses up a. Householder's reduction to
// tridiagonal form, then implicit QL (Golub and Van Loan, Matrix Computations,
// 8.3): about 6n³ operations on one processor, meant for some hundreds.
func Eigen(a []float64, n int) (values []float64, vectors []float64) {
	diagonal, beside := tridiagonal(a, n)
	// Vectors are rows throughout: a rotation of two of them is two runs of
	// memory.
	implicitQL(diagonal, beside, a, n)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case diagonal[i] > diagonal[j]:
			return -1
		case diagonal[i] < diagonal[j]:
			return 1
		}
		return 0
	})
	values, vectors = make([]float64, n), make([]float64, 0, n*n)
	for k, i := range order {
		values[k] = diagonal[i]
		vectors = append(vectors, a[i*n:(i+1)*n]...)
	}
	return values, vectors
}

// tridiagonal reduces a to T = QᵀAQ, of which it returns the diagonal and what
// is beside it (beside[i] between i and i+1), and replaces a by Qᵀ.
func tridiagonal(a []float64, n int) (diagonal, beside []float64) {
	diagonal, beside = make([]float64, n), make([]float64, n)
	reflectors := make([][]float64, n)
	p := make([]float64, n)
	for k := 0; k+2 < n; k++ {
		// The reflector that clears row k behind k+1: H = 1 - v·vᵀ, |v|² = 2.
		v := slices.Clone(a[k*n+k+1 : (k+1)*n])
		norm := math.Sqrt(dot64(v, v))
		if norm == 0 {
			diagonal[k] = a[k*n+k]
			continue
		}
		alpha := -math.Copysign(norm, v[0])
		v[0] -= alpha
		scale := math.Sqrt(2 / dot64(v, v))
		for i := range v {
			v[i] *= scale
		}
		diagonal[k], beside[k], reflectors[k] = a[k*n+k], alpha, v
		// A ← HAH = A - v·qᵀ - q·vᵀ with p = Av, q = p - (pᵀv/2)·v.
		q := p[:len(v)]
		for i := range q {
			q[i] = dot64(a[(k+1+i)*n+k+1:(k+2+i)*n], v)
		}
		half := dot64(q, v) / 2
		for i := range q {
			q[i] -= half * v[i]
		}
		for i := range q {
			row, vi, qi := a[(k+1+i)*n+k+1:(k+2+i)*n], v[i], q[i]
			for j := range row {
				row[j] -= vi*q[j] + qi*v[j]
			}
		}
	}
	for k := max(0, n-2); k < n; k++ {
		diagonal[k] = a[k*n+k]
	}
	if n > 1 {
		beside[n-2] = a[(n-2)*n+n-1]
	}
	// Q = H_0·H_1·…; Qᵀ·x reflects rows. It is built from the last one, whose
	// block is the smallest: Qᵀ ← Qᵀ·H.
	clear(a)
	for i := range n {
		a[i*n+i] = 1
	}
	for k := n - 3; k >= 0; k-- {
		v := reflectors[k]
		if v == nil {
			continue
		}
		for i := k + 1; i < n; i++ {
			row := a[i*n+k+1 : (i+1)*n]
			by := dot64(row, v)
			for j := range row {
				row[j] -= by * v[j]
			}
		}
	}
	return diagonal, beside
}

// implicitQL makes diagonal the eigenvalues and turns rows, Qᵀ of the
// reduction, into eigenvectors.
func implicitQL(diagonal, beside, rows []float64, n int) {
	for l := range n {
		for range 60 { // it takes two or three
			m := l
			for ; m < n-1; m++ {
				if size := math.Abs(diagonal[m]) + math.Abs(diagonal[m+1]); math.Abs(beside[m]) <= 1e-16*size {
					break
				}
			}
			if m == l {
				break
			}
			g := (diagonal[l+1] - diagonal[l]) / (2 * beside[l])
			r := math.Hypot(g, 1)
			g = diagonal[m] - diagonal[l] + beside[l]/(g+math.Copysign(r, g))
			s, c, p := 1.0, 1.0, 0.0
			i := m - 1
			for ; i >= l; i-- {
				f, b := s*beside[i], c*beside[i]
				r = math.Hypot(f, g)
				beside[i+1] = r
				if r == 0 {
					diagonal[i+1] -= p
					beside[m] = 0
					break
				}
				s, c = f/r, g/r
				g = diagonal[i+1] - p
				r = (diagonal[i]-g)*s + 2*c*b
				p = s * r
				diagonal[i+1] = g + p
				g = c*r - b
				rotate(rows[i*n:(i+1)*n], rows[(i+1)*n:(i+2)*n], c, s)
			}
			if r == 0 && i >= l {
				continue
			}
			diagonal[l] -= p
			beside[l], beside[m] = g, 0
		}
	}
}

// rotate turns two rows by the angle of cosine c and sine s.
func rotate(x, y []float64, c, s float64) {
	y = y[:len(x)]
	for k, v := range x {
		w := y[k]
		y[k] = s*v + c*w
		x[k] = c*v - s*w
	}
}

func dot64(x, y []float64) float64 {
	y = y[:len(x)]
	var sum float64
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}
