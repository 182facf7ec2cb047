package serve

import (
	"cmp"
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/serve/shelf"
)

// explain makes the slate: what is shown, at which rank, why, and what else
// might have been.
func (r *Recommender) explain(ctx context.Context, q *asked, placed, ranked []*candidate) upnext.Slate {
	q.because(ctx, placed)
	s := upnext.Slate{
		ID: upnext.SlateID("rec_" + ulid.MustNewDefault(q.now).String()), Viewer: q.req.Viewer, Session: q.req.Session,
		Scenario: q.req.Scenario, At: q.now, Shortfall: q.req.Count - len(placed),
		Versions: map[string]string{"settings": r.version}, Timings: q.timings,
		Items: make([]upnext.Placed, len(placed)),
	}
	if q.bundle != nil {
		s.Versions["models"] = q.bundle.Version
	}
	if q.collection != "" {
		s.Versions["collection"] = q.collection
	}
	for i, c := range placed {
		p := q.place(c, i+1)
		p.Blur = q.guard.Blur(c.item)
		p.Propensity = cmp.Or(c.chance, 1)
		if q.req.Explain != "none" {
			p.Reasons = r.reasons(q, c)
		}
		p.Token = r.sign(q.tenant.name, Claim{s.ID, p.Item, p.Rank, s.Variant, p.Propensity})
		s.Items[i] = p
	}
	s.Unshown, s.Refused = r.unshown(q, placed, ranked), q.refused()
	if q.trace != nil {
		s.Variety = q.variety(placed, ranked)
	}
	s.Trace = q.trace.whole(q, placed, ranked)
	q.time("explain")
	q.timings["total"] = q.lap.Sub(q.started)
	s.Degraded = q.degraded
	r.meters.observe(q, s.Shortfall > 0)
	return s
}

func (q *asked) place(c *candidate, rank int) upnext.Placed {
	p := upnext.Placed{Item: c.item.Item.ID, Rank: rank, Score: c.score, Features: featureMap(c.features)}
	for _, o := range c.origins {
		p.Sources = append(p.Sources, o.source)
	}
	q.trace.tell(c, &p)
	return p
}

// unshown samples candidates that were not shown, by the seed and the viewer,
// at the ranks that they had by score.
func (r *Recommender) unshown(q *asked, placed, ranked []*candidate) []upnext.Placed {
	shown := make(map[*candidate]bool, len(placed))
	for _, c := range placed {
		shown[c] = true
	}
	var rest []int
	for i, c := range ranked {
		if !shown[c] && c.item != nil { // nil went from the catalogue meanwhile
			rest = append(rest, i)
		}
	}
	h := fnv.New64a()
	h.Write([]byte(q.req.Viewer.String()))
	rng := rand.New(rand.NewPCG(r.Seed, h.Sum64()))
	rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	rest = rest[:min(len(rest), r.Settings.Unshown)]
	slices.Sort(rest)
	sample := make([]upnext.Placed, len(rest))
	for i, at := range rest {
		sample[i] = q.place(ranked[at], at+1)
	}
	return sample
}

// mostReasons is how many reasons an item is given.
const mostReasons = 2

// reasons says in words what truly brought an item: likeness to what the
// viewer took to where it is close enough to be seen (Settings.Telling), what
// others watched along with it, who made it, how it does with the crowd.
func (r *Recommender) reasons(q *asked, c *candidate) []upnext.Reason {
	var found []upnext.Reason
	add := func(code string, weight float64, about *shelf.Item, what string) {
		reason := upnext.Reason{Code: code, Weight: weight}
		if about != nil {
			reason.Item, what = about.Item.ID, about.Item.Title
		}
		reason.Text = words(q.req.Locale, code, what)
		found = append(found, reason)
	}
	if q.class == classPage || q.class == classRank {
		if c.near >= r.Settings.Telling {
			add(q.took(c.about), 0.3+c.near, c.about, "")
		}
	}
	for _, o := range c.origins {
		switch o.source {
		case "together":
			add("watched_together", 0.7*c.features[fTogether], o.from, "")
		case "similar":
			add("similar_to", 0.3+c.features[fSimilar], q.seedOf(o.from), "")
		case "words", "meaning":
			if q.class == classSimilar {
				add("similar_to", o.share, q.seedOf(o.from), "")
			} else {
				add("matches_search", o.share, nil, q.req.Query)
			}
		case "learned":
			add("viewers_like_you", 0.5*c.features[fLearned], nil, "")
		case "session":
			// Nearer than chance, or nobody would see it; a like says more than a watch.
			if o.score >= r.Settings.Telling && q.took(o.from) == "because_watched" {
				add("this_session", 0.35+o.score, o.from, "")
			}
		case "searched":
			add("searched", 0.2+o.score, nil, o.about)
		case "friends":
			add("liked_by_friends", 1.2, nil, "")
		case "continue":
			add("continue", 3, nil, q.resumeAt(c.item))
		case "episode":
			add("next_episode", 2, o.from, "")
		case "live":
			add("live_now", 0.8, nil, "")
		case "followed":
			add("from_followed", 1.5, nil, cmp.Or(c.item.Item.CreatorName, c.item.Item.CreatorID))
		case "trending":
			add("trending", 0.3, nil, "")
		case "popular", "backfill":
			add("popular", 0.25, nil, "")
		case "promoted":
			add("promoted", 0.2, nil, "")
		case "explore":
			add("to_discover", 1, nil, "")
		case "fresh":
			if c.features[fFreshness] > 0.25 { // four weeks: else it is not new
				add("fresh", 0.25*c.features[fFreshness], nil, "")
			}
		}
	}
	if len(found) == 0 { // likeness too faint to be put into words
		add("to_explore", 1, nil, "")
	}
	return strongest(found)
}

// strongest keeps the weightiest reasons, one about each item and one of each
// code that is about none, and makes shares of their weights.
func strongest(found []upnext.Reason) []upnext.Reason {
	slices.SortStableFunc(found, func(a, b upnext.Reason) int { return cmp.Compare(b.Weight, a.Weight) })
	total := 0.0
	var kept []upnext.Reason
	for _, r := range found {
		total += r.Weight
		said := slices.ContainsFunc(kept, func(k upnext.Reason) bool {
			return r.Item == k.Item && (r.Item != "" || r.Code == k.Code)
		})
		if !said && len(kept) < mostReasons {
			kept = append(kept, r)
		}
	}
	for i := range kept {
		kept[i].Weight /= total
	}
	return kept
}

// because finds, for each item of the page, what the viewer took to that is most
// like it.
func (q *asked) because(ctx context.Context, placed []*candidate) {
	if q.ask.Index == nil || q.req.Explain == "none" || q.class != classPage && q.class != classRank {
		return
	}
	var members []*shelf.Item
	var ids []upnext.ItemID
	for _, in := range q.viewer.state.Interests {
		for _, sig := range in.Members {
			members, ids = append(members, sig.Item), append(ids, sig.Item.Item.ID)
		}
	}
	var vectors [][]float32
	var of []*candidate
	for _, c := range placed {
		if c.vector != nil {
			vectors, of = append(vectors, c.vector), append(of, c)
		}
	}
	if len(ids) == 0 || len(of) == 0 {
		return
	}
	products, err := q.index.products(ctx, vectors, ids...)
	if err != nil {
		q.degrade("reasons", err)
		return
	}
	for i, c := range of {
		for k, it := range members {
			if near := productOf(products[i][k]); near > c.near {
				c.about, c.near = it, near
			}
		}
	}
}

// took tells a like from a mere watch.
func (q *asked) took(it *shelf.Item) (code string) {
	for _, sig := range q.viewer.state.Positive {
		if sig.Item == it && sig.Liked {
			return "because_liked"
		}
	}
	return "because_watched"
}

// seedOf is the item that a similar one is like: the one that led there, or
// the first that was asked for.
func (q *asked) seedOf(from *shelf.Item) *shelf.Item {
	if from == nil {
		return q.ask.Like[0]
	}
	return from
}
