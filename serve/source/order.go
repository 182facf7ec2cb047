package source

import (
	"cmp"
	"slices"
	"strings"

	"upnext/serve/shelf"
)

// best returns the n best of candidates, each item once with its best score,
// ties by id. It reorders candidates.
func best(candidates []Candidate, n int) []Candidate {
	slices.SortStableFunc(candidates, better)
	met := make(map[*shelf.Item]bool, len(candidates))
	kept := candidates[:0]
	for _, c := range candidates {
		if len(kept) == n {
			break
		}
		if !met[c.Item] {
			met[c.Item] = true
			kept = append(kept, c)
		}
	}
	return kept
}

// lead is an item that may become a candidate: by its number on the shelf, for of
// thousands only the best are looked at.
type lead struct {
	ord, seed int32
	score     float64
}

// bestPassing returns the n best of leads, each another item, that are on the shelf
// and pass; from is what led to one by its seed. It reorders leads, and puts no more
// of them in order and asks the guard about no more than it must.
func (a Ask) bestPassing(leads []lead, n int, from func(seed int32) *shelf.Item) []Candidate {
	kept := make([]Candidate, 0, min(n, len(leads)))
	var looked []Candidate
	for at := n + n/2; len(leads) > 0 && len(kept) < n; at *= 4 {
		first := foremost(leads, at)
		ords := make([]int32, first)
		for i, l := range leads[:first] {
			ords[i] = l.ord
		}
		looked = looked[:0]
		for i, it := range a.Shelf.At(ords) {
			if it != nil {
				looked = append(looked, Candidate{Item: it, Score: leads[i].score, From: from(leads[i].seed)})
			}
		}
		slices.SortFunc(looked, better)
		for _, c := range looked {
			if len(kept) == n {
				break
			}
			if a.Pass(c.Item) {
				kept = append(kept, c)
			}
		}
		leads = leads[first:]
	}
	return kept
}

// nobody led to what its source alone has found.
func nobody(int32) *shelf.Item { return nil }

// foremost brings the leads of the n greatest scores to the front, with all that
// share the last of these, and returns how many they are.
func foremost(leads []lead, n int) int {
	if n >= len(leads) {
		return len(leads)
	}
	scores := make([]float64, len(leads))
	for i, l := range leads {
		scores[i] = l.score
	}
	least, front := greatest(scores, n), 0
	for i := range leads {
		if !(leads[i].score < least) {
			leads[front], leads[i] = leads[i], leads[front]
			front++
		}
	}
	return front
}

// greatest is the n-th greatest of scores, n from 1 to their number, which it puts
// in another order (Hoare's selection).
func greatest(scores []float64, n int) float64 {
	low, high, at := 0, len(scores)-1, n-1
	for low < high {
		x, y, z := scores[low], scores[(low+high)/2], scores[high] // the middle of three guards against order
		pivot := max(min(x, y), min(max(x, y), z))
		i, j := low, high
		for i <= j {
			for scores[i] > pivot {
				i++
			}
			for scores[j] < pivot {
				j--
			}
			if i <= j {
				scores[i], scores[j] = scores[j], scores[i]
				i++
				j--
			}
		}
		switch {
		case at <= j:
			high = j
		case at >= i:
			low = i
		default:
			return scores[at]
		}
	}
	return scores[at]
}

// better orders by score, best first, ties by id.
func better(a, b Candidate) int {
	if a.Score != b.Score {
		return cmp.Compare(b.Score, a.Score)
	}
	return strings.Compare(string(a.Item.Item.ID), string(b.Item.Item.ID))
}
