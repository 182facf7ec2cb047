package source

import "context"

// Learned brings what the models that were trained on behaviour expect the
// viewer to take to next.
type Learned struct{}

// Name is "learned".
func (Learned) Name() string { return "learned" }

// Recall asks the models; without a bundle, or for a viewer they know nothing
// of, it brings nothing.
func (Learned) Recall(ctx context.Context, ask Ask, n int) ([]Candidate, error) {
	if ask.Learned == nil {
		return nil, nil
	}
	scores := ask.Learned.Scores()
	if scores == nil || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	found, looked := make([]Candidate, 0, n), 0
	// What the viewer has seen is among the best, but seldom so much of it that
	// all within reach must be put in order.
	for _, k := range []int{ask.depth(n), ask.reach(n)} {
		top := scores.Top(ask.Shelf, k)
		for _, it := range top[looked:] {
			if len(found) == n {
				return found, nil
			}
			if it != nil && ask.Pass(it) {
				found = append(found, Candidate{Item: it, Score: scores.Of(it)})
			}
		}
		if looked = len(top); len(found) == n || looked < k { // enough, or there are no more
			break
		}
	}
	return found, nil
}
