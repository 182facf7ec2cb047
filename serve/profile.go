package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"upnext"
	"upnext/serve/taste"
)

// Bounds of what a profile lists.
const (
	profileBeliefs = 30
	profileRecent  = 50
	profileItems   = 10
)

// Profile returns what the system believes of a viewer, and from what. A
// viewer who was never met has an empty one that says so (Known).
func (r *Recommender) Profile(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) (upnext.Profile, error) {
	fail := func(err error) (upnext.Profile, error) {
		return upnext.Profile{}, fmt.Errorf("profile of %s: %w", viewer, err)
	}
	if err := viewer.Validate(); err != nil {
		return fail(err)
	}
	tn, err := r.open(ctx, t)
	if err != nil {
		return fail(unavailable(err))
	}
	q := &asked{tenant: tn}
	idx, err := r.active(ctx, q)
	if err != nil {
		return fail(err)
	}
	r.viewers.reread(viewerKey{t, viewer}) // whoever asks for a profile may just have changed it
	v, err := r.viewers.get(ctx, tn, viewer, q.collection, idx)
	if err != nil && !errors.Is(err, errNoInterests) {
		return fail(err)
	}
	recent, err := r.Events.ByViewer(ctx, t, viewer, profileRecent)
	if err != nil {
		return fail(err)
	}
	p := profileOf(v.state)
	p.Viewer, p.Known, p.Recent, p.Events = v.told, v.state.Known || v.isTold, recent, len(v.acts)
	p.Viewer.ID = viewer
	for i, b := range p.Creators {
		for _, it := range tn.shelf.By(b.Value) {
			p.Creators[i].Name = cmp.Or(p.Creators[i].Name, it.Item.CreatorName)
		}
	}
	return p, nil
}

// profileOf puts a state into the words of a Profile.
func profileOf(s *taste.State) upnext.Profile {
	p := upnext.Profile{
		Topics: beliefs(s.ToTopic), Creators: beliefs(s.ToCreator), Languages: beliefs(s.Languages),
		Emotion: moods(s, func(u upnext.Understanding) []upnext.Label { return u.Emotion }),
		Style:   moods(s, func(u upnext.Understanding) []upnext.Label { return u.Style }),
		Seen:    len(s.Seen),
	}
	for _, in := range s.Interests {
		interest := upnext.Interest{
			Item: in.Medoid.Item.ID, Title: in.Medoid.Item.Title, Topics: in.Medoid.Topics, Weight: in.Weight, Last: in.Last,
		}
		members := slices.Clone(in.Members)
		slices.SortStableFunc(members, func(a, b taste.Signal) int { return b.At.Compare(a.At) })
		for _, m := range members[:min(len(members), profileItems)] {
			interest.Items = append(interest.Items, m.Item.Item.ID)
		}
		p.Interests = append(p.Interests, interest)
	}
	for c := range s.Follows {
		p.Follows = append(p.Follows, c)
	}
	slices.Sort(p.Follows)
	for _, a := range s.Items {
		p.Muted = append(p.Muted, a)
	}
	for _, a := range s.Creators {
		p.Muted = append(p.Muted, a)
	}
	for _, a := range s.Topics {
		p.Muted = append(p.Muted, a)
	}
	for _, pin := range s.Pinned {
		p.Pinned = append(p.Pinned, pin)
	}
	slices.SortFunc(p.Pinned, func(a, b upnext.Pinned) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Value, b.Value))
	})
	slices.SortFunc(p.Muted, func(a, b upnext.Aversion) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Value, b.Value))
	})
	return p
}

// beliefs lists the strongest, for or against.
func beliefs(weights map[string]float64) []upnext.Belief {
	list := make([]upnext.Belief, 0, len(weights))
	for v, w := range weights {
		if w != 0 {
			list = append(list, upnext.Belief{Value: v, Weight: w})
		}
	}
	slices.SortFunc(list, func(a, b upnext.Belief) int {
		return cmp.Or(cmp.Compare(max(b.Weight, -b.Weight), max(a.Weight, -a.Weight)), cmp.Compare(a.Value, b.Value))
	})
	return list[:min(len(list), profileBeliefs)]
}

// moods are the shares of a facet's labels in what the viewer likes.
func moods(s *taste.State, facet func(upnext.Understanding) []upnext.Label) []upnext.Belief {
	weights, total := map[string]float64{}, 0.0
	for _, sig := range s.Positive {
		for _, l := range facet(sig.Item.Understanding) {
			weights[l.Value] += sig.Weight * l.Confidence
			total += sig.Weight * l.Confidence
		}
	}
	for v := range weights {
		weights[v] /= total
	}
	return beliefs(weights)
}
