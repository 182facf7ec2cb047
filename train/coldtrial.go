package train

import (
	"context"
	"math"
	"math/rand/v2"

	"upnext"
	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/learn/collab"
	"upnext/learn/relevance"
	"upnext/learn/split"
)

// compared is NDCG@10 by case, among the items that are new together.
type compared struct{ mapped, alone, chance []float64 }

// tryFold takes a fifth of the items out of the maps and asks the cases that
// are about them, as serving would: they are newcomers to a bundle.
func (tr *Trainer) tryFold(ctx context.Context, b behaviour, log learn.Log, cases []split.Case, parts []*fitted, c *cold, alone learn.Model, fold int, sum *compared) error {
	isNew, acts := make([]bool, len(b.items)), collab.Acts(log)
	items := c.fold(tr.Seed, fold)
	vectors, ids := make([][]float32, len(items)), make([]upnext.ItemID, len(items))
	for k, i := range items {
		isNew[i], acts[i] = true, 0
		vectors[k], ids[k] = c.vectors[i], b.items[i]
	}
	places, err := c.learn(ctx, parts, acts)
	if err != nil {
		return err
	}
	trial, err := tr.join(b, parts, places, bundle.Manifest{Format: bundle.Format, Version: "trial", Content: c.said()})
	if err != nil {
		return err
	}
	trial = trial.With(ids, vectors)
	byMap, byContent := make([]float32, len(b.items)+len(items)), make([]float32, len(b.items))
	for _, q := range split.Newcomers(cases[:min(len(cases), coldCases)], isNew) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !trial.ScoreAll(q.History, byMap) || !alone.Score(q.History, byContent) {
			continue // neither has anything to go by
		}
		met := map[int32]bool{}
		for _, i := range q.Seen {
			met[i] = true
		}
		var mapped, content []float32
		truth := -1
		for k, i := range items {
			if i == q.Targets[0] {
				truth = len(mapped)
			}
			if i == q.Targets[0] || !met[i] {
				mapped, content = append(mapped, byMap[len(b.items)+k]), append(content, byContent[i])
			}
		}
		sum.mapped, sum.alone = append(sum.mapped, gain(mapped, truth)), append(sum.alone, gain(content, truth))
		sum.chance = append(sum.chance, gain(make([]float32, len(mapped)), truth))
	}
	return nil
}

// fold is the items with content that are new in a trial.
func (c *cold) fold(seed uint64, fold int) (items []int32) {
	for at, i := range rand.New(rand.NewPCG(seed, 1)).Perm(len(c.vectors)) {
		if at%coldFolds == fold && c.vectors[i] != nil {
			items = append(items, int32(i))
		}
	}
	return items
}

// gain is NDCG@10 of one right item.
func gain(scores []float32, truth int) float64 {
	run := relevance.Run{Relevant: 1}
	for _, s := range scores {
		switch {
		case s > scores[truth]:
			run.Before++
		case s == scores[truth]:
			run.Size++
		}
	}
	return relevance.Ranking{Candidates: len(scores), Relevant: 1, Runs: []relevance.Run{run}}.NDCG(10)
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / max(1, float64(len(v)))
}

// better reports whether a is greater than b, case by case, by more than so many
// standard errors of the mean difference.
func better(a, b []float64, errors float64) bool {
	n := float64(len(a))
	if n < 2 {
		return false
	}
	by := mean(a) - mean(b)
	squares := 0.0
	for i := range a {
		squares += (a[i] - b[i] - by) * (a[i] - b[i] - by)
	}
	return by > errors*math.Sqrt(squares/(n-1)/n)
}
