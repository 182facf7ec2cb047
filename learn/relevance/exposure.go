package relevance

import (
	"math"
	"slices"
)

// Exposure is how often each item of a catalogue was recommended.
type Exposure []int

// Show counts a list, its items being numbers below len(e).
func (e Exposure) Show(list []int32) {
	for _, item := range list {
		e[item]++
	}
}

// Coverage is the share of the catalogue that was recommended at all.
func (e Exposure) Coverage() float64 {
	shown := 0
	for _, n := range e {
		if n > 0 {
			shown++
		}
	}
	return share(float64(shown), len(e))
}

// Gini is 0 where all items are shown equally often and near 1 where one has it
// all: Σᵢ (2i − n − 1) xᵢ / (n Σ x), x ascending, i from 1 to n.
func (e Exposure) Gini() float64 {
	var weighted, total float64
	for i, x := range slices.Sorted(slices.Values(e)) {
		weighted += float64(2*i+1-len(e)) * float64(x)
		total += float64(x)
	}
	if total == 0 {
		return 0
	}
	return weighted / (total * float64(len(e)))
}

// Entropy is −Σ p log p / log n of the shares p = x / Σ x: 1 where all n items
// are shown equally often, 0 where one has it all (Shannon, scaled).
func (e Exposure) Entropy() float64 {
	total := 0
	for _, x := range e {
		total += x
	}
	if total == 0 || len(e) < 2 {
		return 0
	}
	var sum float64
	for _, x := range e {
		if x > 0 {
			p := float64(x) / float64(total)
			sum -= p * math.Log(p)
		}
	}
	return sum / math.Log(float64(len(e)))
}
