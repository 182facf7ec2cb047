package api

import (
	"context"
	"time"

	"upnext"
	"upnext/serve"
)

// answeredBody is an answer as it was given. Features, scores, ranks and reasons
// are those of then; titles and other properties are not kept.
type answeredBody struct {
	slateBody
	UserID      string     `json:"user_id,omitempty"`
	AnonymousID string     `json:"anonymous_id,omitempty"`
	SessionID   string     `json:"session_id,omitempty"`
	At          time.Time  `json:"at"`
	Request     *askedBody `json:"request,omitempty" doc:"What was asked, without defaults; missing where it was longer than 4 KiB."`
}

// askedBody is a request of any kind: recommend, similar or search.
type askedBody struct {
	RequestBody
	ItemIDs         []upnext.ItemID `json:"item_ids,omitempty" doc:"Of similar: more like these."`
	NegativeItemIDs []upnext.ItemID `json:"negative_item_ids,omitempty"`
	Strategy        string          `json:"strategy,omitempty"`
	Query           string          `json:"query,omitempty" doc:"Of search."`
}

// traceBody is how an answer came about.
type traceBody struct {
	Sources    []broughtBody `json:"sources" doc:"Every source that was asked."`
	Candidates []placedBody  `json:"candidates" doc:"What was shown and the best of the rest, by score: rank is the rank by score, 0 for what filled a short page up."`
	Omitted    int           `json:"omitted,omitempty" doc:"Further candidates, which are not listed."`
}

type broughtBody struct {
	Source  string         `json:"source"`
	Asked   int            `json:"asked" doc:"How many it was asked for at most."`
	Found   int            `json:"found" doc:"How many it brought."`
	ItemIDs []string       `json:"item_ids" doc:"Those among the candidates listed, in its own order; their scores are in origins."`
	Turned  map[string]int `json:"turned_away,omitempty" doc:"What it met and the guard did not let pass, by cause."`
	TookMS  float64        `json:"took_ms"`
	Error   string         `json:"error,omitempty" doc:"Why it brought less than it might."`
}

type originBody struct {
	Source string  `json:"source"`
	Rank   int     `json:"rank" doc:"In the source's list, from 1."`
	Score  float64 `json:"score" doc:"The source's own; comparable within its list alone."`
	Share  float64 `json:"share" doc:"Of the candidate's rank fusion, 0 to 1."`
	ItemID string  `json:"item_id,omitempty" doc:"The item that led there."`
	Query  string  `json:"query,omitempty" doc:"The search that led there."`
}

type answeredOutput struct{ Body answeredBody }

// recorded reads an answer that was given, at any replica.
func (a *api) recorded(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64" doc:"The id of an answer."`
}) (*answeredOutput, error) {
	who := callerOf(ctx)
	slate, err := a.Recommender.Recorded(ctx, who.tenant, upnext.SlateID(in.ID))
	if err != nil {
		return nil, err
	}
	dressed, err := a.dress(ctx, slate, upnext.Request{Explain: serve.ExplainTrace})
	if err != nil {
		return nil, err
	}
	out := &answeredOutput{answeredBody{slateBody: dressed.Body, SessionID: slate.Session, At: slate.At}}
	if slate.Viewer.Anonymous {
		out.Body.AnonymousID = slate.Viewer.ID
	} else {
		out.Body.UserID = slate.Viewer.ID
	}
	if req, err := serve.RequestOf(slate); err == nil { // else it was not kept
		out.Body.Request = askedOf(req)
	}
	return out, nil
}

// traced puts a trace into the shape of the API.
func (a *api) traced(t upnext.Tenant, trace *upnext.Trace) *traceBody {
	if trace == nil {
		return nil
	}
	body := &traceBody{
		Sources: make([]broughtBody, len(trace.Sources)), Candidates: a.placed(t, trace.Candidates, nil, true), Omitted: trace.Omitted,
	}
	ranked := map[string]map[int]string{}
	for _, c := range trace.Candidates {
		for _, o := range c.Origins {
			if ranked[o.Source] == nil {
				ranked[o.Source] = map[int]string{}
			}
			ranked[o.Source][o.Rank] = string(c.Item)
		}
	}
	for i, s := range trace.Sources {
		b := broughtBody{
			Source: s.Source, Asked: s.Asked, Found: s.Found, ItemIDs: []string{}, Turned: s.Turned,
			TookMS: float64(s.Took.Microseconds()) / 1000, Error: s.Error,
		}
		for rank := 1; rank <= s.Found; rank++ {
			if id, ok := ranked[s.Source][rank]; ok {
				b.ItemIDs = append(b.ItemIDs, id)
			}
		}
		body.Sources[i] = b
	}
	return body
}

// askedOf is the inverse of RequestBody.request.
func askedOf(req upnext.Request) *askedBody {
	b := &askedBody{
		RequestBody: RequestBody{
			SessionID: req.Session, Scenario: req.Scenario, Count: req.Count, Filter: req.Filter, Include: req.Include,
			Diversity: req.Diversity, Explore: req.Explore, Explain: req.Explain, Backfill: req.Backfill, DeadlineMS: int(req.Deadline.Milliseconds()),
		},
		ItemIDs: req.Like, NegativeItemIDs: req.Unlike, Strategy: req.LikeStrategy, Query: req.Query,
	}
	if req.Viewer.Anonymous {
		b.AnonymousID = req.Viewer.ID
	} else {
		b.UserID = req.Viewer.ID
	}
	if req.Locale != "" || req.Device != "" || req.Region != "" || len(req.Context) > 0 {
		b.Context = &contextBody{Locale: req.Locale, Device: req.Device, Region: req.Region, Values: req.Context}
	}
	for _, x := range req.Boosts {
		b.Boosts = append(b.Boosts, boostBody(x))
	}
	e := excludeBody{CreatorIDs: req.Exclude.Creators, Seen: string(req.Exclude.Seen)}
	for _, id := range req.Exclude.Items {
		e.ItemIDs = append(e.ItemIDs, string(id))
	}
	if req.Exclude.SeenWithin > 0 {
		e.SeenWithin = req.Exclude.SeenWithin.String()
	}
	if len(e.ItemIDs)+len(e.CreatorIDs)+len(e.Seen)+len(e.SeenWithin) > 0 {
		b.Exclude = &e
	}
	return b
}
