package collab

import "upnext/learn/kernel"

// conjugate solves a row's least squares by some steps of conjugate gradients
// from where it stood, without its matrix: a step costs one pass over the
// columns' rows (Takács, Pilászy, Tikk, "Applications of the Conjugate Gradient
// Method for Implicit Feedback Collaborative Filtering", RecSys 2011).
type conjugate struct {
	d, steps int
	residual []float32
	toward   []float32
	image    []float32
}

func newConjugate(d, steps int) *conjugate {
	return &conjugate{d, steps, make([]float32, d), make([]float32, d), make([]float32, d)}
}

// solve moves x towards (all + λI + Σ w·h hᵀ)⁻¹ Σ w·h over the columns' rows h
// of fixed, w being their weights.
func (c *conjugate) solve(all []float32, lambda float32, fixed []float32, columns []int32, weights []float32, x []float32) bool {
	level, d := kernel.Best(), c.d
	// residual = b - Ax = Σ w(1 - h·x)h - all·x - λx
	for i := range d {
		c.residual[i] = -level.Dot(all[i*d:(i+1)*d], x) - lambda*x[i]
	}
	for k, column := range columns {
		h := fixed[int(column)*d:][:d]
		level.Axpy(c.residual, weights[k]*(1-level.Dot(h, x)), h)
	}
	copy(c.toward, c.residual)
	size := level.Dot(c.residual, c.residual)
	for range c.steps {
		if !(size > 1e-20) {
			break
		}
		for i := range d {
			c.image[i] = level.Dot(all[i*d:(i+1)*d], c.toward) + lambda*c.toward[i]
		}
		for k, column := range columns {
			h := fixed[int(column)*d:][:d]
			level.Axpy(c.image, weights[k]*level.Dot(h, c.toward), h)
		}
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
