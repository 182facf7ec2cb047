package source

import (
	"context"

	"upnext"
	"upnext/serve/shelf"
)

// Words finds items whose title, tags or creator share words with the query;
// for similar items that nothing better is known of, with the titles and tags
// of what they shall be like.
type Words struct{}

// Name is "words".
func (Words) Name() string { return "words" }

// Recall scores by the information in the shared words, 0 to 1.
func (Words) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	var found []Candidate
	add := func(text string, from *shelf.Item) {
		for _, m := range ask.Shelf.Find(text, n, ask.Pass) {
			found = append(found, Candidate{Item: m.Item, Score: m.Score, From: from})
		}
	}
	if ask.Query != "" {
		add(ask.Query, nil)
		return found, nil
	}
	for i, it := range ask.Like {
		if ask.Likes[i] != nil {
			continue // its vector says more
		}
		text := it.Item.Title
		for _, tag := range it.Item.Tags {
			text += " " + tag
		}
		add(text, it)
	}
	return best(found, n), nil
}

// Meaning finds items whose content is near the query's meaning.
type Meaning struct{}

// Name is "meaning".
func (Meaning) Name() string { return "meaning" }

// Recall searches with the query's vector.
func (Meaning) Recall(ctx context.Context, ask Ask, n int) ([]Candidate, error) {
	if ask.Index == nil || ask.Text == nil {
		return nil, nil
	}
	found, err := ask.search(ctx, ask.depth(n), 0, ask.Text)
	if err != nil {
		return nil, err
	}
	return found[0][:min(n, len(found[0]))], nil
}

func idsOf(candidates []Candidate) []upnext.ItemID {
	ids := make([]upnext.ItemID, len(candidates))
	for i, c := range candidates {
		ids[i] = c.Item.Item.ID
	}
	return ids
}
