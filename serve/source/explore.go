package source

import (
	"context"

	"upnext/serve/explore"
	"upnext/serve/shelf"
)

// Explore brings items that few have met, for the places that the page keeps for
// them: for each place one, drawn by chance among those that pass.
type Explore struct{}

// Chances is what is explored, and for whom.
type Chances struct {
	Arms   []explore.Arm
	Places int
	Whom   uint64 // another number, another draw
}

// Name is "explore".
func (Explore) Name() string { return "explore" }

// Recall draws for one place after another; Score is the rate at which viewers are
// believed to take to the item.
func (Explore) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	places := min(n, ask.Chances.Places)
	if places <= 0 {
		return nil, nil
	}
	// Each place has arms of its own: a draw without what was drawn before would
	// have no propensity that can be told.
	arms, items := make([][]explore.Arm, places), make([][]*shelf.Item, places)
	var one [1]*shelf.Item
	for _, a := range ask.Chances.Arms {
		for _, it := range ask.Shelf.ByOrd(one[:0], a.Item) {
			if i := int(a.Item) % places; ask.Pass(it) {
				arms[i], items[i] = append(arms[i], a), append(items[i], it)
			}
		}
	}
	var found []Candidate
	for i := range places {
		if at, propensity := explore.Draw(arms[i], ask.Chances.Whom+uint64(i)); at >= 0 {
			found = append(found, Candidate{Item: items[i][at], Score: arms[i][at].Mean, Chance: propensity})
		}
	}
	return found, nil
}
