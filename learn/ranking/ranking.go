// Package ranking asks a model every case of a split and notes where the truth
// stands in a ranking of the whole catalogue: there are no sampled negatives.
package ranking

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"upnext"
	"upnext/learn"
	"upnext/learn/relevance"
	"upnext/learn/split"
)

// Answer is what a model answered to a case.
type Answer struct {
	Ranking relevance.Ranking // of all items but those of the history and Seen
	List    []int32           // the best of them, best first; equals by item number
	Silent  bool              // the history says nothing to the model: all is missed
}

// Result is a model's answers, in the order of the cases.
type Result struct {
	Answers []Answer
	Scoring time.Duration // spent in Score, all processors together
}

// Rank asks the cases on all processors, each of which holds one score an item.
// List is how long the lists are. A score that is no finite number is an
// ErrInvalid that names model, viewer and item. Equal models give equal answers.
func Rank(ctx context.Context, m learn.Model, cases []split.Case, list int, watch learn.Watch) (Result, error) {
	result := Result{Answers: make([]Answer, len(cases))}
	var (
		next, spent atomic.Int64
		mu          sync.Mutex // over what follows
		failed      error
		done        int
		wg          sync.WaitGroup
	)
	for range min(runtime.GOMAXPROCS(0), len(cases)) {
		wg.Go(func() {
			scores := make([]float32, m.Items())
			for {
				i := int(next.Add(1)) - 1
				if i >= len(cases) || ctx.Err() != nil {
					return
				}
				begun := time.Now()
				told := m.Score(cases[i].History, scores)
				spent.Add(int64(time.Since(begun)))
				answer, err := of(cases[i], scores, told, list)
				mu.Lock()
				if result.Answers[i] = answer; err != nil && failed == nil {
					failed = fmt.Errorf("rank by %s: viewer %d: %w", m.Name(), cases[i].Viewer, err)
					next.Store(int64(len(cases)))
				}
				if done++; done%256 == 0 || done == len(cases) {
					watch.Tell(learn.Step{Phase: "rank", Done: done, Total: len(cases)})
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	result.Scoring = time.Duration(spent.Load())
	if failed == nil && ctx.Err() != nil {
		failed = fmt.Errorf("rank by %s: %w", m.Name(), ctx.Err())
	}
	return result, failed
}

// of judges one answer. It overwrites scores.
func of(c split.Case, scores []float32, told bool, list int) (Answer, error) {
	truth := distinct(c.Targets)
	answer := Answer{Ranking: relevance.Ranking{Relevant: len(truth)}, Silent: !told}
	if !told {
		return answer, nil
	}
	for i, s := range scores {
		if math.IsNaN(float64(s)) || math.IsInf(float64(s), 0) {
			return Answer{}, fmt.Errorf("the score of item %d is %v: %w", i, s, upnext.ErrInvalid)
		}
	}
	excluded := distinct(slices.Concat(c.History.Items, c.Seen))
	for _, item := range excluded {
		scores[item] = float32(math.Inf(-1))
	}
	answer.Ranking.Candidates = len(scores) - len(excluded)
	answer.Ranking.Runs = Runs(scores, truth)
	answer.List = Best(scores, list)
	return answer, nil
}

func distinct(items []int32) []int32 {
	items = slices.Clone(items)
	slices.Sort(items)
	return slices.Compact(items)
}

// Runs is where the targets, each named once, stand among the scores. Items with
// a score of -Inf are no candidates; targets among them are in no run.
func Runs(scores []float32, targets []int32) []relevance.Run {
	var levels []float32 // the targets' scores, each once, best first
	for _, t := range targets {
		if !math.IsInf(float64(scores[t]), -1) {
			levels = append(levels, scores[t])
		}
	}
	slices.SortFunc(levels, func(a, b float32) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	runs := make([]relevance.Run, 0, len(levels))
	for i, s := range levels {
		if i > 0 && s == levels[i-1] {
			runs[len(runs)-1].Relevant++
			continue
		}
		runs = append(runs, relevance.Run{Relevant: 1})
	}
	levels = slices.Compact(levels)
	switch len(levels) {
	case 0:
	case 1: // one target: no search
		runs[0].Before, runs[0].Size = count(scores, levels[0])
	default:
		countAll(scores, levels, runs)
	}
	return runs
}

func count(scores []float32, level float32) (above, equal int) {
	for _, s := range scores {
		if s > level {
			above++
		} else if s == level {
			equal++
		}
	}
	return above, equal
}

// countAll puts each score between two levels.
func countAll(scores, levels []float32, runs []relevance.Run) {
	least := levels[len(levels)-1]
	for _, s := range scores {
		if s < least {
			continue
		}
		low, high := 0, len(levels)-1 // the first level that is not above s
		for low < high {
			if mid := (low + high) / 2; levels[mid] > s {
				low = mid + 1
			} else {
				high = mid
			}
		}
		if s == levels[low] {
			runs[low].Size++
		} else {
			runs[low].Before++
		}
	}
	for i := 1; i < len(runs); i++ {
		runs[i].Before += runs[i-1].Before + runs[i-1].Size
	}
}
