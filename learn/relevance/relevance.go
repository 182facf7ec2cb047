// Package relevance holds the measures of ranked lists and of labels. They are
// functions of values: who makes the lists is no matter here.
package relevance

import (
	"cmp"
	"maps"
	"slices"
)

// Recall is the share of the relevant that is among the first k of ranked.
// Nothing relevant gives 0: leave such queries out of a mean.
func Recall[T comparable](ranked, relevant []T, k int) float64 {
	want := map[T]bool{}
	for _, r := range relevant {
		want[r] = true
	}
	if len(want) == 0 {
		return 0
	}
	total, found := len(want), 0
	for _, r := range ranked[:min(k, len(ranked))] {
		if want[r] {
			found++
			delete(want, r) // one that is listed twice counts once
		}
	}
	return float64(found) / float64(total)
}

// Counts says how a label was given.
type Counts struct{ Right, Wrong, Missed int }

// F1 is the harmonic mean of precision and recall; 0 for a label that occurs nowhere.
func (c Counts) F1() float64 {
	return ratio(2*c.Right, 2*c.Right+c.Wrong+c.Missed)
}

// Precision is the share of what was given that is right.
func (c Counts) Precision() float64 { return ratio(c.Right, c.Right+c.Wrong) }

// Recall is the share of what is true that was given.
func (c Counts) Recall() float64 { return ratio(c.Right, c.Right+c.Missed) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Count compares the labels of each item with the true ones, class by class.
// Labels that are not among the classes are ignored. truth and given are of
// equal length, and an item has a label at most once.
func Count(truth, given [][]string, classes []string) map[string]Counts {
	counts := make(map[string]Counts, len(classes))
	for _, class := range classes {
		var c Counts
		for i := range truth {
			is, said := slices.Contains(truth[i], class), slices.Contains(given[i], class)
			switch {
			case is && said:
				c.Right++
			case said:
				c.Wrong++
			case is:
				c.Missed++
			}
		}
		counts[class] = c
	}
	return counts
}

// MacroF1 is the mean F1 of the classes, each counting the same.
func MacroF1(counts map[string]Counts) float64 {
	if len(counts) == 0 {
		return 0
	}
	var sum float64
	// In a fixed order, so that equal counts give the equal last digit.
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		sum += counts[class].F1()
	}
	return sum / float64(len(counts))
}

// Sum adds the counts of all classes: the measures of it are micro-averages.
func Sum(counts map[string]Counts) Counts {
	var sum Counts
	for _, c := range counts {
		sum.Right, sum.Wrong, sum.Missed = sum.Right+c.Right, sum.Wrong+c.Wrong, sum.Missed+c.Missed
	}
	return sum
}

// Frequent returns the labels that at least least items have, the most frequent
// first, equals by name.
func Frequent(truth [][]string, least int) []string {
	n := map[string]int{}
	for _, labels := range truth {
		for _, l := range labels {
			n[l]++
		}
	}
	maps.DeleteFunc(n, func(_ string, n int) bool { return n < least })
	return slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b))
	})
}

// Majority is the answer that knows no item: each gets the most frequent label.
// Nil labels where truth has none.
func Majority(truth [][]string) [][]string {
	given := make([][]string, len(truth))
	if frequent := Frequent(truth, 1); len(frequent) > 0 {
		for i := range given {
			given[i] = frequent[:1:1]
		}
	}
	return given
}
