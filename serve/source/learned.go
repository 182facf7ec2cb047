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
	found := make([]Candidate, 0, n)
	for _, it := range ask.Shelf.Items(scores.Top(ask.reach(n))) {
		if len(found) == n {
			break
		}
		if it != nil && ask.Pass(it) {
			found = append(found, Candidate{Item: it, Score: scores.Of(it.Item.ID)})
		}
	}
	return found, nil
}
