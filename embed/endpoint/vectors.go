package endpoint

import (
	"fmt"
	"math"

	"upnext"
)

// check holds a reply against what was asked and scales its vectors to length 1.
// What is wrong with it is the server's fault, and nothing of it is used.
func check(vectors [][]float32, inputs, dim int) error {
	if len(vectors) != inputs {
		return fmt.Errorf("%d vectors for %d inputs: %w", len(vectors), inputs, upnext.ErrUnavailable)
	}
	for i, v := range vectors {
		if dim == 0 {
			dim = len(v)
		}
		if len(v) != dim || dim == 0 {
			return fmt.Errorf("vector %d has %d components, want %d: %w", i, len(v), dim, upnext.ErrUnavailable)
		}
		if !unit(v) {
			return fmt.Errorf("vector %d is zero or not finite: %w", i, upnext.ErrUnavailable)
		}
	}
	return nil
}

// unit scales v to length 1 and says whether it could.
func unit(v []float32) bool {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if !(square > 1e-24) || math.IsInf(square, 1) {
		return false
	}
	inverse := 1 / math.Sqrt(square)
	for i, x := range v {
		v[i] = float32(float64(x) * inverse)
	}
	return true
}
