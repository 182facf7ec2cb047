package api

import (
	"context"
	"time"

	"upnext"
	"upnext/ingest/eventjson"
)

type profileBody struct {
	UserID    string            `json:"user_id"`
	Anonymous bool              `json:"anonymous,omitempty"`
	Known     bool              `json:"known" doc:"Whether anything was ever heard of this viewer."`
	Events    int               `json:"events"`
	Seen      int               `json:"seen" doc:"Items seen, and so not shown again."`
	Interests []interestBody    `json:"interests" doc:"The several things that the viewer is drawn to; each is held by a real item."`
	Topics    []beliefBody      `json:"topics"`
	Creators  []beliefBody      `json:"creators"`
	Languages []beliefBody      `json:"languages"`
	Emotion   []beliefBody      `json:"emotion"`
	Style     []beliefBody      `json:"style"`
	Follows   []string          `json:"follows"`
	Muted     []muteBody        `json:"muted"`
	Pinned    []pinBody         `json:"pinned" doc:"Wanted, and does not fade."`
	Recent    []eventjson.Event `json:"recent" doc:"Latest events, newest first: what all this is made of."`
}

type interestBody struct {
	ItemID  string    `json:"item_id"`
	Title   string    `json:"title"`
	Topics  []string  `json:"topics"`
	Weight  float64   `json:"weight" doc:"Share of the attention, 0 to 1."`
	ItemIDs []string  `json:"item_ids" doc:"The latest items that speak for it."`
	Last    time.Time `json:"last"`
}

type beliefBody struct {
	Value  string  `json:"value"`
	Name   string  `json:"name,omitempty"`
	Weight float64 `json:"weight" doc:"Below 0: an aversion."`
}

type muteBody struct {
	Scope string    `json:"scope"`
	Value string    `json:"value"`
	Kind  string    `json:"kind"`
	At    time.Time `json:"at"`
}

type pinBody struct {
	Scope string    `json:"scope"`
	Value string    `json:"value"`
	At    time.Time `json:"at"`
}

type profileOutput struct{ Body profileBody }

func (a *api) getProfile(ctx context.Context, in *UserPath) (*profileOutput, error) {
	id, err := a.viewer(ctx, *in)
	if err != nil {
		return nil, err
	}
	body, err := a.readProfile(ctx, id)
	if err != nil {
		return nil, err
	}
	return &profileOutput{body}, nil
}

func (a *api) readProfile(ctx context.Context, id upnext.ViewerID) (profileBody, error) {
	p, err := a.Recommender.Profile(ctx, callerOf(ctx).tenant, id)
	if err != nil {
		return profileBody{}, err
	}
	b := profileBody{
		UserID: id.ID, Anonymous: id.Anonymous, Known: p.Known, Events: p.Events, Seen: p.Seen, Interests: []interestBody{},
		Topics: beliefs(p.Topics), Creators: beliefs(p.Creators), Languages: beliefs(p.Languages), Emotion: beliefs(p.Emotion), Style: beliefs(p.Style),
		Follows: p.Follows, Muted: []muteBody{}, Pinned: []pinBody{}, Recent: []eventjson.Event{},
	}
	if b.Follows == nil {
		b.Follows = []string{}
	}
	for _, in := range p.Interests {
		ids := make([]string, len(in.Items))
		for i, id := range in.Items {
			ids[i] = string(id)
		}
		b.Interests = append(b.Interests, interestBody{string(in.Item), in.Title, in.Topics, in.Weight, ids, in.Last})
	}
	for _, m := range p.Muted {
		b.Muted = append(b.Muted, muteBody{string(m.Scope), m.Value, string(m.Kind), m.At})
	}
	for _, pin := range p.Pinned {
		b.Pinned = append(b.Pinned, pinBody{string(pin.Scope), pin.Value, pin.At})
	}
	for _, e := range p.Recent {
		e.Token = "" // it speaks for one answer, to whoever got it
		b.Recent = append(b.Recent, eventjson.Of(e))
	}
	return b, nil
}

func beliefs(all []upnext.Belief) []beliefBody {
	bodies := make([]beliefBody, len(all))
	for i, b := range all {
		bodies[i] = beliefBody(b)
	}
	return bodies
}
