package serve

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"upnext/serve/learned"
)

// blend makes one list out of the sources' lists: weighted reciprocal rank
// fusion and the features, summed by the settings' weights, or by those that the
// bundle has learned, into a score of 0 to 1; then the request's boosts. Best first,
// ties by id.
func (r *Recommender) blend(ctx context.Context, q *asked, found []recalled) []*candidate {
	list := r.fuse(q, found)
	q.trace.markFused(list)
	likeness := q.likeness(ctx, list, r.dislikedVectors(ctx, q))
	class := q.class
	if class == classRank {
		class = classPage
	}
	weights := weightsOf(r.Settings.Blend[class])
	popularity := q.tenant.crowd.Popularity(ordsOf(list))
	var models *learned.Scores // they know candidates of the other sources too
	if q.ask.Learned != nil {
		models = q.ask.Learned.Known()
	}
	switch {
	case models == nil:
	case q.bundle.Page != nil:
		weights = weightsOf(q.bundle.Page.Weights)
	default:
		makeRoom(&weights)
	}
	for i, c := range list {
		q.describe(c)
		c.features[fTaste], c.features[fDisliked] = likeness.taste(i), likeness.disliked(i)
		if models != nil {
			c.features[fLearned] = models.Of(c.item)
		}
		c.features[fPopularity] = popularity[i]
		sum := 0.0
		for f, w := range weights {
			sum += w * c.features[f]
		}
		c.score = 1 / (1 + math.Exp(-2*(sum-1)))
		for _, b := range q.boosts {
			if b.when.Match(c.item.Some(b.when.Uses()), q.guard.Vars) {
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

// PageWeights are those of the features of a page that models answer, by name, as the
// settings say: what those that are learned are held against.
func (r *Recommender) PageWeights() map[string]float64 {
	weights := weightsOf(r.Settings.Blend[classPage])
	makeRoom(&weights)
	return featureMap(weights)
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

// describe computes the features that the item and the viewer give.
func (q *asked) describe(c *candidate) {
	state, it := q.viewer.state, c.item
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
