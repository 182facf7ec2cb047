package relevance

import (
	"math/rand/v2"
	"slices"
)

// Resamples is how many means an Interval is made of.
const Resamples = 1000

// Interval is the 95 % interval of a mean over viewers: the 2.5th and 97.5th
// percentile of the means of Resamples samples of the same size, drawn by seed
// with repeats (Efron 1979). Nothing gives 0, 0.
func Interval(values []float64, seed uint64) (low, high float64) {
	if len(values) == 0 {
		return 0, 0
	}
	random := rand.New(rand.NewPCG(seed, 0))
	means := make([]float64, Resamples)
	for m := range means {
		var sum float64
		for range values {
			sum += values[random.IntN(len(values))]
		}
		means[m] = sum / float64(len(values))
	}
	slices.Sort(means)
	return means[Resamples*25/1000], means[Resamples*975/1000-1]
}

// Mean is the sum in order, divided by how many there are; 0 of nothing.
func Mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return share(sum, len(values))
}
