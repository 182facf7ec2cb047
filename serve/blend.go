package serve

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"upnext"
	"upnext/serve/learned"
	"upnext/serve/vec"
)

// blend makes one list out of the sources' lists: weighted reciprocal rank
// fusion and the features, summed by the settings' weights into a score of 0
// to 1; then the request's boosts. Best first, ties by id.
func (r *Recommender) blend(ctx context.Context, q *asked, found []recalled) []*candidate {
	list := r.fuse(q, found)
	q.trace.markFused(list)
	q.known = r.knownItems(q)
	r.fetchVectors(ctx, q, list)
	q.known = append(q.known, q.returned()...)
	class := q.class
	if class == classRank {
		class = classPage
	}
	weights := weightsOf(r.Settings.Blend[class])
	popularity := q.tenant.crowd.Popularity(ordsOf(list))
	disliked := r.dislikedVectors(ctx, q)
	var models *learned.Scores // they know candidates of the other sources too
	if q.ask.Learned != nil {
		models = q.ask.Learned.Known()
	}
	if models != nil {
		makeRoom(&weights)
	}
	for i, c := range list {
		q.describe(c)
		if models != nil {
			c.features[fLearned] = models.Of(c.item)
		}
		c.features[fPopularity] = popularity[i]
		if c.vector != nil {
			for _, v := range disliked {
				c.features[fDisliked] = max(c.features[fDisliked], float64(vec.Dot(v, c.vector)))
			}
		}
		sum := 0.0
		for f, w := range weights {
			sum += w * c.features[f]
		}
		c.score = 1 / (1 + math.Exp(-2*(sum-1)))
		for _, b := range q.boosts {
			if b.when.Match(c.item.FilterFields(), q.guard.Vars) {
				c.score *= b.multiply
			}
		}
	}
	slices.SortFunc(list, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(string(a.item.Item.ID), string(b.item.Item.ID)))
	})
	q.trace.mark("rank", list)
	q.time("rank")
	return list
}

// makeRoom takes the models' weight from the other features, so that scores keep
// their scale, and with it what diversity weighs against, with models and
// without.
func makeRoom(weights *[features]float64) {
	total := 0.0
	for f, w := range weights {
		if f != fResume && f != fFriends && f != fSearched && f != fLive { // these speak of a few candidates, and are no part of the scale
			total += math.Abs(w)
		}
	}
	if total == 0 {
		return
	}
	share := 1 - math.Abs(weights[fLearned])/total
	for i := range weights {
		weights[i] *= share
	}
}

func ordsOf(list []*candidate) []int32 {
	ords := make([]int32, len(list))
	for i, c := range list {
		ords[i] = c.item.Ord
	}
	return ords
}

// fetchVectors reads the candidates' vectors in one go.
func (r *Recommender) fetchVectors(ctx context.Context, q *asked, list []*candidate) {
	if q.ask.Index == nil || len(list) == 0 {
		return
	}
	ids := make([]upnext.ItemID, 0, len(list)+len(q.known))
	for _, c := range list {
		ids = append(ids, c.item.Item.ID)
	}
	for _, k := range q.known {
		ids = append(ids, k.Item.Item.ID)
	}
	var err error
	if q.copied, err = q.index.copyVectors(ctx, ids...); err != nil {
		q.degrade("vectors", err)
		return
	}
	for i, c := range list {
		c.vector = q.copied.vectors[i]
	}
	for i := range q.known {
		q.known[i].Vector = q.copied.vectors[len(list)+i]
	}
}

// dislikedItems is how many of the most disliked items are kept away from.
const dislikedItems = 6

func (r *Recommender) dislikedVectors(ctx context.Context, q *asked) [][]float32 {
	signals := q.viewer.state.Negative
	signals = signals[:min(len(signals), dislikedItems)]
	if q.ask.Index == nil || len(signals) == 0 {
		return nil
	}
	ids := make([]upnext.ItemID, len(signals))
	for i, sig := range signals {
		ids[i] = sig.Item.Item.ID
	}
	vectors, err := q.ask.Index.Vectors(ctx, ids...)
	if err != nil {
		return nil // the candidates' vectors have failed too, and said so
	}
	return slices.DeleteFunc(slices.Clone(vectors), func(v []float32) bool { return v == nil })
}

// describe computes the features that the item and the viewer give.
func (q *asked) describe(c *candidate) {
	state, it := q.viewer.state, c.item
	if c.vector != nil && len(state.Interests) > 0 {
		most := state.Interests[0].Weight
		for _, in := range state.Interests {
			near := float64(vec.Dot(in.Vector, c.vector)) * (0.6 + 0.4*math.Sqrt(in.Weight/most))
			c.features[fTaste] = max(c.features[fTaste], near)
		}
	}
	c.features[fTopic] = q.ask.Topics.Match(it)
	if creator := it.Item.CreatorID; creator != "" {
		c.features[fCreator] = state.ToCreator[creator]
		if state.Follows[creator] {
			c.features[fFollowed] = 1
		}
	}
	c.features[fLanguage] = q.languageFit(it.Language())
	if at := it.Item.PublishedAt; !at.IsZero() && !at.After(q.now) {
		c.features[fFreshness] = math.Exp2(-float64(q.now.Sub(at)) / float64(14*24*time.Hour))
	}
}

// languageFit is 0 to 1: what the viewer has liked tells more than the locale
// of their device, and either more than nothing.
func (q *asked) languageFit(language string) float64 {
	fit, ok := q.languages[language]
	if !ok {
		fit = q.fitOf(language)
		q.languages[language] = fit
	}
	return fit
}

func (q *asked) fitOf(language string) float64 {
	if language == "" {
		return 0.5
	}
	fit := 0.5
	if q.req.Locale != "" {
		fit = 0
		if base(language) == base(q.req.Locale) {
			fit = 1
		}
	}
	if len(q.viewer.state.Languages) == 0 {
		return fit
	}
	share := 0.0
	for l, s := range q.viewer.state.Languages {
		if base(l) == base(language) {
			share = min(1, share+s)
		}
	}
	return 0.7*math.Sqrt(share) + 0.3*fit
}

// base is the language of a BCP 47 tag without script and region.
func base(tag string) string {
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	return strings.ToLower(tag)
}
