package bundle

import (
	"math"

	"upnext/learn"
)

// Score sets scores to the models' blend: the sum of their z-scores over all
// items, each by its weight. False where no model has anything to say.
func (b *Bundle) Score(h learn.History, scores []float32) bool {
	own := make([]float32, len(scores))
	clear(scores)
	said := false
	for i, m := range b.Models {
		w := float32(b.Manifest.Models[i].Weight)
		if w == 0 || !m.Score(h, own) {
			continue
		}
		said = true
		mean, sd := moments(own)
		if sd == 0 {
			continue
		}
		w /= sd
		for j, v := range own {
			scores[j] += w * (v - mean)
		}
	}
	return said
}

// moments are mean and standard deviation.
func moments(v []float32) (mean, sd float32) {
	var sum, squares float64
	for _, x := range v {
		sum += float64(x)
	}
	m := sum / float64(len(v))
	for _, x := range v {
		squares += (float64(x) - m) * (float64(x) - m)
	}
	return float32(m), float32(math.Sqrt(squares / float64(len(v))))
}
