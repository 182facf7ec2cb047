package serve

import (
	"cmp"
	"context"
	"math"
	"slices"

	"upnext/serve/source"
)

// onSight is how many items of a row are looked at to tell what it is worth: what
// a screen shows of it before anybody scrolls.
const onSight = 8

// weigh measures rows by one blend over what would stand first in each: the mean of
// the scores there, weighed by place as in DCG (Järvelin and Kekäläinen, 2002). One
// item to go on with is worth a row.
func (r *Recommender) weigh(ctx context.Context, base *asked, rows []*rowAsked) {
	lists, met := map[string]*recalled{}, map[string]map[int32]bool{}
	var order []string
	add := func(name string, c source.Candidate) {
		if lists[name] == nil {
			lists[name], met[name] = &recalled{name: name}, map[int32]bool{}
			order = append(order, name)
		}
		if !met[name][c.Item.Ord] {
			met[name][c.Item.Ord] = true
			lists[name].candidates = append(lists[name].candidates, c)
		}
	}
	for _, row := range rows {
		first := map[int32]bool{}
		for _, c := range row.ranked[:min(len(row.ranked), onSight)] {
			first[c.item.Ord] = true
			add(givenSource, source.Candidate{Item: c.item})
		}
		if row.class != classPage {
			continue // what they say of likeness to an item or a text says nothing of the viewer
		}
		for _, f := range row.found {
			for _, c := range f.candidates {
				if first[c.Item.Ord] {
					add(f.name, c)
				}
			}
		}
	}
	found := make([]recalled, 0, len(order))
	for _, name := range order {
		l := *lists[name]
		l.level = name == givenSource
		slices.SortStableFunc(l.candidates, func(a, b source.Candidate) int { return cmp.Compare(b.Score, a.Score) })
		found = append(found, l)
	}
	base.class, base.boosts = classRank, nil
	scores := map[int32]float64{}
	for _, c := range r.blend(ctx, base, found) {
		scores[c.item.Ord] = c.score
	}
	base.release()
	for _, row := range rows {
		sum, most := 0.0, 0.0
		for i, c := range row.ranked[:min(len(row.ranked), onSight)] {
			discount := 1 / math.Log2(float64(i+2))
			sum, most = sum+discount*scores[c.item.Ord], most+discount
		}
		if most > 0 {
			row.worth = sum / most
		}
	}
}

// inPageOrder puts rows in the order of their worth around those that are fixed.
func inPageOrder(rows []*rowAsked) []*rowAsked {
	var free []*rowAsked
	for _, row := range rows {
		if !row.Fixed {
			free = append(free, row)
		}
	}
	slices.SortStableFunc(free, func(a, b *rowAsked) int { return cmp.Compare(b.worth, a.worth) })
	order := make([]*rowAsked, len(rows))
	for i, row := range rows {
		if row.Fixed {
			order[i] = row
		} else {
			order[i], free = free[0], free[1:]
		}
	}
	return order
}
