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
// reorders candidates, and asks the guard about no more than it must.
func (a Ask) bestPassing(candidates []Candidate, n int) []Candidate {
	slices.SortFunc(candidates, better)
	kept := candidates[:0]
	for _, c := range candidates {
		if len(kept) == n {
			break
		}
		if a.Pass(c.Item) {
			kept = append(kept, c)
		}
	}
	return kept
}

// better orders by score, best first, ties by id.
func better(a, b Candidate) int {
	if a.Score != b.Score {
		return cmp.Compare(b.Score, a.Score)
	}
	return strings.Compare(string(a.Item.Item.ID), string(b.Item.Item.ID))
}
