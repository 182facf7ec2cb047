package source

import (
	"context"

	"upnext/serve/shelf"
	"upnext/serve/vec"
)

// Similar searches near the items of Ask.Like and away from Ask.Unlikes.
type Similar struct{}

// away is how much likeness to an unwanted item costs.
const away = 0.5

// Name is "similar".
func (Similar) Name() string { return "similar" }

// Recall scores by the mean of the liked items ("average") or by the liked
// item that is nearest ("best_score"); From is the nearest one.
func (Similar) Recall(ctx context.Context, ask Ask, n int) ([]Candidate, error) {
	var likes [][]float32
	var of []*shelf.Item
	for i, v := range ask.Likes {
		if v != nil {
			likes, of = append(likes, v), append(of, ask.Like[i])
		}
	}
	if ask.Index == nil || len(likes) == 0 {
		return nil, nil
	}
	queries := likes
	if ask.Strategy != "best_score" {
		if mean := Mean(likes, ask.Unlikes); mean != nil {
			queries = [][]float32{mean}
		}
	}
	found, err := ask.search(ctx, ask.depth(n/len(queries)+10), 0, queries...)
	if err != nil {
		return nil, err
	}
	var all []Candidate
	for i, list := range found {
		for _, c := range list {
			if len(queries) == len(likes) {
				c.From = of[i]
			}
			all = append(all, c)
		}
	}
	if all = best(all, len(all)); ask.Strategy != "best_score" || len(ask.Unlikes) == 0 {
		return all[:min(n, len(all))], nil
	}
	return ask.distance(ctx, all, n)
}

// distance takes from each score what it is like an unwanted item.
func (a Ask) distance(ctx context.Context, all []Candidate, n int) ([]Candidate, error) {
	vectors, err := a.Index.Vectors(ctx, idsOf(all)...)
	if err != nil {
		return nil, err
	}
	for i, v := range vectors {
		if v == nil {
			continue
		}
		worst := float32(0)
		for _, u := range a.Unlikes {
			worst = max(worst, vec.Dot(u, v))
		}
		all[i].Score -= away * float64(worst)
	}
	return best(all, n), nil
}

// Mean is the unit vector of the likes' mean less a part of the unlikes'; nil
// where they cancel out.
func Mean(likes, unlikes [][]float32) []float32 {
	mean := make([]float32, len(likes[0]))
	for _, v := range likes {
		vec.Add(mean, v, 1/float32(len(likes)))
	}
	for _, v := range unlikes {
		vec.Add(mean, v, -away/float32(len(unlikes)))
	}
	return vec.Unit(mean)
}
