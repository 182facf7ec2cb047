// Package kernel holds the inner loops of the models that learn: float32
// matrix products and the row operations of a softmax. Each has a plain Go
// form, which is the truth, and assembly forms that are tested against it.
package kernel

// Level is one way to run the loops.
type Level int

// The levels, slowest first. Every machine runs Plain.
const (
	Plain  Level = iota
	AVX2         // amd64 with AVX2 and FMA
	AVX512       // amd64 with AVX-512 F besides
)

// String names the level as benchmarks print it.
func (l Level) String() string {
	switch l {
	case AVX512:
		return "avx512"
	case AVX2:
		return "avx2"
	default:
		return "plain"
	}
}

// Levels are those that this machine runs, slowest first.
func Levels() []Level {
	all := []Level{Plain}
	for _, l := range []Level{AVX2, AVX512} {
		if l <= best() {
			all = append(all, l)
		}
	}
	return all
}

// Best is the fastest level that this machine runs.
func Best() Level { return best() }
