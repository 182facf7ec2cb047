package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"upnext"
	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/learn/collab"
	"upnext/learn/content"
	"upnext/learn/split"
)

const (
	contentPage = 1000 // vectors that one read takes
	coldFolds   = 5    // an item is new in one of so many trials
	coldCases   = 2000 // cases that are asked, at most
	coldDecay   = 5    // acts after which one counts 1/e in what content alone says: protocol cold's
)

// cold is what the maps from content to the models' places are learned from.
type cold struct {
	content bundle.Content // without Places
	vectors [][]float32    // by item number; nil: none
	rows    []float32      // the same in one block, zeros for none
	models  []string       // that have places
}

// tryContent finds out whether maps from content to the models' places tell more
// of new items than likeness to what the viewer took to does. Every item is new
// in one of coldFolds trials: no map is learned from it, no history holds it, and
// it is found, or not, among the items that are new with it. The models are
// those of validation: EASE, Ridge and IALS have places. None is fitted once more
// without the new items; on ML-1M that flatters nothing (TestContentOfFilms).
//
// nil where there is no content, no model with places, or where the maps are not
// better than content alone by more than a standard error and than chance by more
// than two: such bundles place nothing. Only cases whose target has content are asked.
func (tr *Trainer) tryContent(ctx context.Context, t upnext.Tenant, b behaviour, log learn.Log, cases []split.Case, parts []*fitted) (*cold, error) {
	c, err := tr.readContent(ctx, t, b.items, parts)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, nil
	}
	alone, err := content.Nearest{Vectors: c.vectors, Decay: coldDecay}.Fit(ctx, log, nil)
	if errors.Is(err, upnext.ErrInvalid) {
		tr.Logger.Warn("new items are not placed", "tenant", t, "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("try the content: %w", err)
	}
	var sum compared
	for fold := range coldFolds {
		if err := tr.tryFold(ctx, b, log, cases, parts, c, alone, fold, &sum); err != nil {
			return nil, fmt.Errorf("try the content: %w", err)
		}
	}
	c.content.Cases, c.content.NDCG10, c.content.Alone = len(sum.mapped), mean(sum.mapped), mean(sum.alone)
	helps := better(sum.mapped, sum.alone, 1) && better(sum.mapped, sum.chance, 2)
	tr.Logger.Info("new items tried", "tenant", t, "cases", len(sum.mapped), "ndcg@10", c.content.NDCG10,
		"content_only", c.content.Alone, "chance", mean(sum.chance), "kept", helps)
	if !helps {
		return nil, nil
	}
	return c, nil
}

// readContent reads the items' vectors; nil where they are of no use. An index
// that cannot be read costs the bundle its maps, not the training.
func (tr *Trainer) readContent(ctx context.Context, t upnext.Tenant, ids []upnext.ItemID, parts []*fitted) (*cold, error) {
	c := &cold{}
	for _, p := range parts {
		if collab.HasPlaces(p.model) {
			c.models = append(c.models, p.part.Name)
		}
	}
	if tr.Content == nil || len(c.models) == 0 {
		return nil, nil
	}
	for page := range slices.Chunk(ids, contentPage) {
		name, vectors, err := tr.Content(ctx, t, page)
		if err == nil && c.content.Collection != "" && c.content.Collection != name {
			err = fmt.Errorf("collection %s was promoted meanwhile: %w", name, upnext.ErrConflict)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("read the content: %w", err)
		}
		if err != nil {
			tr.Logger.Warn("new items are not placed: no content", "tenant", t, "error", err)
			return nil, nil
		}
		c.content.Collection = name
		c.vectors = append(c.vectors, vectors...)
	}
	for i, v := range c.vectors {
		switch {
		case v == nil:
			continue
		case c.content.Dim == 0:
			c.content.Dim, c.rows = len(v), make([]float32, len(v)*len(ids))
		}
		if !c.content.Usable(v) {
			tr.Logger.Warn("new items are not placed: bad content", "tenant", t, "item", ids[i], "numbers", len(v), "of", c.content.Dim)
			return nil, nil
		}
		copy(c.rows[i*len(v):], v)
	}
	if c.content.Dim == 0 {
		return nil, nil
	}
	return c, nil
}

// learn learns the maps of the models that have places, in the order of parts.
func (c *cold) learn(ctx context.Context, parts []*fitted, acts []float64) ([]*collab.Places, error) {
	if c == nil {
		return nil, nil
	}
	var places []*collab.Places
	for _, p := range parts {
		if slices.Contains(c.models, p.part.Name) {
			m, err := collab.ColdMap{Content: c.rows, Dim: c.content.Dim}.Learn(ctx, p.model, acts)
			if err != nil {
				return nil, fmt.Errorf("map content to the places of %s: %w", p.part.Name, err)
			}
			places = append(places, m)
		}
	}
	return places, nil
}

// said is what the manifest says of the maps.
func (c *cold) said() *bundle.Content {
	if c == nil {
		return nil
	}
	out := c.content
	for _, name := range c.models {
		out.Places = append(out.Places, bundle.Placing{Model: name})
	}
	return &out
}
