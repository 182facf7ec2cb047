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

// bestPassing returns the n best of candidates, each another item, that pass. It
// reorders candidates, and puts no more of them in order and asks the guard about no
// more than it must.
func (a Ask) bestPassing(candidates []Candidate, n int) []Candidate {
	kept := make([]Candidate, 0, min(n, len(candidates)))
	for at := 2 * n; len(candidates) > 0 && len(kept) < n; at *= 4 {
		first := foremost(candidates, at)
		slices.SortFunc(candidates[:first], better)
		for _, c := range candidates[:first] {
			if len(kept) == n {
				break
			}
			if a.Pass(c.Item) {
				kept = append(kept, c)
			}
		}
		candidates = candidates[first:]
	}
	return kept
}

// foremost brings the candidates of the n greatest scores to the front, with all
// that share the last of these, and returns how many they are.
func foremost(candidates []Candidate, n int) int {
	if n >= len(candidates) {
		return len(candidates)
	}
	scores := make([]float64, len(candidates))
	for i, c := range candidates {
		scores[i] = c.Score
	}
	slices.Sort(scores)
	least, front := scores[len(scores)-n], 0
	for i := range candidates {
		if !(candidates[i].Score < least) {
			candidates[front], candidates[i] = candidates[i], candidates[front]
			front++
		}
	}
	return front
}

// better orders by score, best first, ties by id.
func better(a, b Candidate) int {
	if a.Score != b.Score {
		return cmp.Compare(b.Score, a.Score)
	}
	return strings.Compare(string(a.Item.Item.ID), string(b.Item.Item.ID))
}
