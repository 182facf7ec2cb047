package api

import (
	"context"

	"upnext"
	"upnext/serve"
)

type whyNotInput struct {
	ItemID         string `query:"item_id" required:"true" minLength:"1" maxLength:"256" doc:"The item that is missed."`
	UserID         string `query:"user_id"`
	AnonymousID    string `query:"anonymous_id"`
	SessionID      string `query:"session_id"`
	Scenario       string `query:"scenario" maxLength:"64" doc:"Default home."`
	Count          int    `query:"count" minimum:"0" maximum:"200" doc:"Places of the page; default 20."`
	Filter         string `query:"filter" doc:"As of recommend."`
	Recommendation string `query:"recommendation_id" maxLength:"64" doc:"In place of all the above but item_id: what was asked then is asked again now, and what it returned counts as returned."`
}

type whyNotBody struct {
	ItemID     string         `json:"item_id"`
	Stage      string         `json:"stage" enum:"page,guard,recall,rerank,rank" doc:"page: it is there; guard: it may not be shown; recall: no source brought it; rerank: a rule of the page dropped it; rank: others were worth more."`
	Rule       string         `json:"rule,omitempty" doc:"What kept it there: a cause of the guard (gone, inactive, ended, not_yet, expired, region, age, unsafe, excluded, returned, unwanted, unwanted_maker, unwanted_topic, seen, served, filtered), no_vector, not_recalled, a rule of the page, or below." example:"unwanted_maker"`
	Detail     string         `json:"detail,omitempty"`
	Rank       int            `json:"rank,omitempty" doc:"On the page, from 1."`
	Candidate  *placedBody    `json:"candidate,omitempty" doc:"Its sources, features, ranks after each stage and the rules' decisions; its rank is that by score. Missing where no source brought it."`
	Candidates int            `json:"candidates" doc:"How many there were."`
	Degraded   []degradedBody `json:"degraded" doc:"What the answer had to do without: it may be why."`
}

type whyNotOutput struct{ Body whyNotBody }

// whyNot answers afresh and says what became of an item.
func (a *api) whyNot(ctx context.Context, in *whyNotInput) (*whyNotOutput, error) {
	who := callerOf(ctx)
	req := upnext.Request{
		Viewer: upnext.ViewerID{ID: in.UserID}, Session: in.SessionID, Scenario: in.Scenario, Count: in.Count, Filter: in.Filter,
	}
	var returned []upnext.ItemID
	switch {
	case in.Recommendation != "":
		slate, err := a.Recommender.Recorded(ctx, who.tenant, upnext.SlateID(in.Recommendation))
		if err != nil {
			return nil, err
		}
		if req, err = serve.RequestOf(slate); err != nil {
			return nil, err
		}
		for _, p := range slate.Items {
			returned = append(returned, p.Item)
		}
	case in.UserID != "" && in.AnonymousID != "":
		return nil, upnext.Invalid("user_id", "user_id or anonymous_id, not both")
	case in.AnonymousID != "":
		req.Viewer = upnext.ViewerID{ID: in.AnonymousID, Anonymous: true}
	}
	why, err := a.Recommender.WhyNot(ctx, who.tenant, req, upnext.ItemID(in.ItemID), returned...)
	if err != nil {
		return nil, err
	}
	out := &whyNotOutput{whyNotBody{
		ItemID: in.ItemID, Stage: string(why.Stage), Rule: why.Rule, Detail: why.Detail, Rank: why.Rank, Candidates: why.Candidates,
		Degraded: []degradedBody{},
	}}
	if why.Candidate != nil {
		out.Body.Candidate = &a.placed(who.tenant, []upnext.Placed{*why.Candidate}, nil, true)[0]
	}
	for _, d := range why.Slate.Degraded {
		out.Body.Degraded = append(out.Body.Degraded, degradedBody(d))
	}
	return out, nil
}
