package crowd

import "cmp"

// ranking keeps items in the order of their scores while single scores move.
type ranking struct {
	score map[int32]float64
	order []int32 // best first, ties by item
	at    map[int32]int
}

// tiny is what rounding may leave of a score that was taken back.
const tiny = 1e-9

// add moves an item's score and its place.
func (r *ranking) add(item int32, by float64) {
	if r.score == nil {
		r.score, r.at = map[int32]float64{}, map[int32]int{}
	}
	before, known := r.score[item]
	after := before + by
	if !known {
		if after <= 0 {
			return
		}
		r.at[item] = len(r.order)
		r.order = append(r.order, item)
	}
	if after <= tiny*max(before, -by) {
		r.drop(item)
		return
	}
	r.score[item] = after
	i := r.at[item]
	for ; i > 0 && r.before(item, r.order[i-1]); i-- {
		r.swap(i, i-1)
	}
	for ; i+1 < len(r.order) && r.before(r.order[i+1], item); i++ {
		r.swap(i, i+1)
	}
}

func (r *ranking) before(a, b int32) bool {
	return cmp.Or(cmp.Compare(r.score[b], r.score[a]), cmp.Compare(a, b)) < 0
}

func (r *ranking) swap(i, j int) {
	r.order[i], r.order[j] = r.order[j], r.order[i]
	r.at[r.order[i]], r.at[r.order[j]] = i, j
}

func (r *ranking) drop(item int32) {
	for i := r.at[item]; i+1 < len(r.order); i++ {
		r.swap(i, i+1)
	}
	r.order = r.order[:len(r.order)-1]
	delete(r.score, item)
	delete(r.at, item)
}

// multiply scales all scores; their order stays.
func (r *ranking) multiply(by float64) {
	for item := range r.score {
		r.score[item] *= by
	}
}

func (r *ranking) top() float64 {
	if len(r.order) == 0 {
		return 0
	}
	return r.score[r.order[0]]
}

// each yields items with their scores relative to the best.
func (r *ranking) each(yield func(Scored) bool) {
	top := r.top()
	for _, item := range r.order {
		if !yield(Scored{item, r.score[item] / top}) {
			return
		}
	}
}
