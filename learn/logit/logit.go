// Package logit fits logistic regressions of a few dozen numbers.
package logit

import (
	"context"
	"fmt"
	"math"

	"upnext"
	"upnext/learn/matrix"
)

// Row is one trial: what was known of it, and how it ended.
type Row struct {
	X []float64
	Y bool
}

// rounds of Newton's method, which settles in fewer; enough is the greatest step
// that ends it.
const (
	rounds = 50
	enough = 1e-6
)

// Fit returns the weights θ that minimise the logistic loss of the rows
//
//	Σ log(1 + exp(-±θ·x)) + Σ_k strength_k/2 · (θ_k - prior_k)²
//
// by Newton's method: with few rows they stay near prior (MAP under a normal prior;
// Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 4.4). A
// strength is above 0. ErrInvalid: rows of another length, or numbers that are none.
func Fit(ctx context.Context, rows []Row, prior, strength []float64) ([]float64, error) {
	n := len(prior)
	for i, r := range rows {
		if len(r.X) != n {
			return nil, fmt.Errorf("row %d has %d numbers, %d are weighed: %w", i, len(r.X), n, upnext.ErrInvalid)
		}
	}
	theta := append([]float64(nil), prior...)
	small, gradient, half := matrix.NewSmall(n), make([]float64, n), make([]float64, n*n)
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(half)
		for k := range n {
			gradient[k] = strength[k] * (theta[k] - prior[k])
			half[k*n+k] = strength[k]
		}
		for _, r := range rows {
			z := 0.0
			for k, x := range r.X {
				z += theta[k] * x
			}
			p := 1 / (1 + math.Exp(-z))
			miss, weight := p, max(p*(1-p), 1e-9)
			if r.Y {
				miss--
			}
			for k, x := range r.X {
				if x == 0 {
					continue
				}
				gradient[k] += miss * x
				for j := k; j < n; j++ {
					half[k*n+j] += weight * x * r.X[j]
				}
			}
		}
		for i, h := range half {
			small.A[i] = float32(h)
		}
		for k, g := range gradient {
			small.B[k] = float32(-g)
		}
		if !small.Solve() {
			return nil, fmt.Errorf("weights of %d rows: not to be solved: %w", len(rows), upnext.ErrInvalid)
		}
		most := 0.0
		for k, step := range small.B {
			theta[k] += float64(step)
			most = max(most, math.Abs(float64(step)))
		}
		if math.IsNaN(most) || most > 1e6 {
			return nil, fmt.Errorf("weights of %d rows go astray: %w", len(rows), upnext.ErrInvalid)
		}
		if most < enough*(1+math.Sqrt(float64(n))) {
			break
		}
	}
	return theta, nil
}
