package collab

import "upnext/learn/kernel"

// conjugate solves a row's least squares by some steps of conjugate gradients
// from where it stood, without its matrix: a step costs one pass over the
// columns' rows (Takács, Pilászy, Tikk, "Applications of the Conjugate Gradient
// Method for Implicit Feedback Collaborative Filtering", RecSys 2011).
type conjugate struct {
	d, steps                int
	residual, toward, image []float32
	rows                    []float32 // the columns' rows, side by side
	along                   []float32 // a number for each
}

func newConjugate(d, steps int) *conjugate {
	return &conjugate{d: d, steps: steps, residual: make([]float32, d), toward: make([]float32, d), image: make([]float32, d)}
}

// solve moves x towards (all + λI + Σ w·h hᵀ)⁻¹ Σ w·h over the columns' rows h
// of fixed, w being their weights.
func (c *conjugate) solve(all []float32, lambda float32, fixed []float32, columns []int32, weights []float32, x []float32) bool {
	level, d := kernel.Best(), c.d
	c.gather(fixed, columns)
	// residual = b - Ax = Σ w(1 - h·x)h - all·x - λx
	for k, w := range weights {
		c.along[k] = w * (level.Dot(c.rows[k*d:(k+1)*d], x) - 1)
	}
	c.times(all, x)
	for i, v := range c.image {
		c.residual[i] = -v - lambda*x[i]
	}
	copy(c.toward, c.residual)
	size := level.Dot(c.residual, c.residual)
	for range c.steps {
		if !(size > 1e-20) {
			break
		}
		for k, w := range weights {
			c.along[k] = w * level.Dot(c.rows[k*d:(k+1)*d], c.toward)
		}
		c.times(all, c.toward)
		level.Axpy(c.image, lambda, c.toward)
		along := level.Dot(c.toward, c.image)
		if !(along > 0) {
			return false
		}
		by := size / along
		level.Axpy(x, by, c.toward)
		level.Axpy(c.residual, -by, c.image)
		next := level.Dot(c.residual, c.residual)
		for i, r := range c.residual {
			c.toward[i] = r + next/size*c.toward[i]
		}
		size = next
	}
	return true
}

// gather copies the columns' rows.
func (c *conjugate) gather(fixed []float32, columns []int32) {
	if d := c.d; cap(c.along) < len(columns) {
		c.rows, c.along = make([]float32, 2*len(columns)*d), make([]float32, 2*len(columns))
	}
	c.along = c.along[:len(columns)]
	for k, column := range columns {
		copy(c.rows[k*c.d:(k+1)*c.d], fixed[int(column)*c.d:])
	}
}

// times sets image to all·v plus the sum of the rows, each as often as along
// says: products of one row, which keep it in registers.
func (c *conjugate) times(all, v []float32) {
	level, d := kernel.Best(), c.d
	image := kernel.Rows(c.image, d)
	level.Gemm(1, d, d, kernel.Rows(v, d), kernel.Rows(all, d), image, false)
	level.Gemm(1, d, len(c.along), kernel.Rows(c.along, len(c.along)), kernel.Rows(c.rows, d), image, true)
}
