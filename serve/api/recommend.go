package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"upnext"
	"upnext/serve"
	"upnext/serve/door"
)

// RequestBody is what recommend, similar and search have in common.
type RequestBody struct {
	UserID      string       `json:"user_id,omitempty" doc:"The viewer. Somebody never met gets a useful page."`
	AnonymousID string       `json:"anonymous_id,omitempty" doc:"An anonymous viewer, by an id of yours."`
	SessionID   string       `json:"session_id,omitempty"`
	Scenario    string       `json:"scenario,omitempty" maxLength:"64" doc:"Where the answer is shown. Default home, similar or search."`
	Count       int          `json:"count,omitempty" minimum:"1" maximum:"200" doc:"How many items; default 20."`
	Context     *contextBody `json:"context,omitempty"`
	Filter      string       `json:"filter,omitempty" doc:"Expression over the items' fields; what fails it is never returned." example:"kind in ['video','live'] and not ('horror' in topics)"`
	Boosts      []boostBody  `json:"boosts,omitempty" maxItems:"50"`
	Exclude     *excludeBody `json:"exclude,omitempty"`
	Diversity   *float64     `json:"diversity,omitempty" minimum:"0" maximum:"1" doc:"0: by score alone; 1: as different as can be. Default 0.3."`
	Explore     *float64     `json:"explore,omitempty" minimum:"0" maximum:"0.5" doc:"Share of a page's places for items that few have met, drawn by chance, with the propensity in their token. Default 0.05; 0 leaves nothing to chance."`
	Include     []string     `json:"include,omitempty" doc:"Fields of the items to return as properties."`
	Explain     string       `json:"explain,omitempty" enum:"none,reasons,trace" doc:"Default reasons. trace needs a secret key."`
	DeadlineMS  int          `json:"deadline_ms,omitempty" minimum:"10" maximum:"60000" doc:"What is not there by then costs its share of the answer. Default 1000."`
	Record      *bool        `json:"record,omitempty" doc:"false: the answer is not kept, as it will not be shown, or not now: a trial, a batch run. It cannot be explained or learned from later. Default true."`
	Backfill    string       `json:"backfill,omitempty" enum:"popular" doc:"What fills a page that came out short; the filter holds for it too."`
}

type contextBody struct {
	ItemID string         `json:"item_id,omitempty" doc:"What the viewer is looking at."`
	Query  string         `json:"query,omitempty"`
	Locale string         `json:"locale,omitempty" doc:"BCP 47: the language of the reasons." example:"en"`
	Device string         `json:"device,omitempty"`
	Region string         `json:"region,omitempty" doc:"ISO 3166."`
	Values map[string]any `json:"values,omitempty" doc:"What context.NAME means in filters."`
}

type boostBody struct {
	If       string  `json:"if" doc:"Filter expression." example:"kind == 'live'"`
	Multiply float64 `json:"multiply" exclusiveMinimum:"0" maximum:"100"`
}

type excludeBody struct {
	ItemIDs    []string `json:"item_ids,omitempty" maxItems:"10000"`
	CreatorIDs []string `json:"creator_ids,omitempty" maxItems:"1000"`
	Seen       string   `json:"seen,omitempty" enum:"none,session,all" doc:"Which seen items to leave out; default all."`
	SeenWithin string   `json:"seen_within,omitempty" doc:"Only those seen within this time." example:"30d"`
}

type recommendBody struct{ RequestBody }

type similarBody struct {
	RequestBody
	ItemIDs         []string `json:"item_ids" minItems:"1" maxItems:"100" doc:"More like these."`
	NegativeItemIDs []string `json:"negative_item_ids,omitempty" maxItems:"100" doc:"Less like these."`
	Strategy        string   `json:"strategy,omitempty" enum:"average,best_score" doc:"Near their mean, or near any of them. Default average."`
}

type rankBody struct {
	RequestBody
	ItemIDs []string `json:"item_ids" minItems:"1" maxItems:"1000" doc:"Your candidates, each once. All are ranked, or the count best."`
}

type searchBody struct {
	RequestBody
	Query string `json:"query" minLength:"1" maxLength:"2000" doc:"Words or a sentence, in any language that the encoder reads."`
}

type slateBody struct {
	ID         string             `json:"id" example:"rec_01J…"`
	Scenario   string             `json:"scenario"`
	Variant    string             `json:"variant,omitempty"`
	Items      []placedBody       `json:"items"`
	Dropped    []droppedBody      `json:"dropped,omitempty" doc:"Of rank: the candidates that may not be shown."`
	Shortfall  int                `json:"shortfall,omitempty" doc:"How many fewer than asked for passed the filter."`
	NextCursor string             `json:"next_cursor,omitempty" doc:"Reads on by POST /v1/recommend/next; none where nothing is left, or where the answer is not recorded."`
	ExpiresAt  *time.Time         `json:"expires_at,omitempty" doc:"When next_cursor does, unless it is used before: then it lives as long again."`
	Degraded   []degradedBody     `json:"degraded" doc:"What this answer had to do without."`
	Versions   map[string]string  `json:"versions,omitempty" doc:"With explain=trace: what answered."`
	Variety    map[string]float64 `json:"variety,omitempty" doc:"With explain=trace: diversity (mean unlikeness of two items, 0 to 1), coverage (topics on the page, of those that the candidates had), novelty (mean surprise, in bits)."`
	Unshown    []placedBody       `json:"unshown,omitempty" doc:"With explain=trace: a sample of what was not shown."`
	Trace      *traceBody         `json:"trace,omitempty" doc:"With explain=trace: how the answer came about. It is kept for 24 hours."`
	TimingsMS  map[string]float64 `json:"timings_ms"`
}

type placedBody struct {
	ID         string             `json:"id"`
	Kind       string             `json:"kind"`
	Score      float64            `json:"score"`
	Rank       int                `json:"rank" doc:"From 1."`
	Sources    []string           `json:"sources" doc:"Who proposed it."`
	Reasons    []reasonBody       `json:"reasons,omitempty"`
	Features   map[string]float64 `json:"features,omitempty" doc:"With explain=trace: what the score is made of."`
	Origins    []originBody       `json:"origins,omitempty" doc:"With explain=trace: what each source said of it."`
	Ranks      map[string]int     `json:"ranks,omitempty" doc:"With explain=trace: its rank from 1 after each stage that had it: blend, rank, guarantee, rerank."`
	Decisions  []decisionBody     `json:"decisions,omitempty" doc:"With explain=trace: what rules decided about it."`
	Blur       string             `json:"blur,omitempty" doc:"Show it behind a warning, on account of this safety label."`
	Properties map[string]any     `json:"properties,omitempty" doc:"The fields asked for by include."`
	Token      string             `json:"token,omitempty" doc:"Send it with the events that answer this item."`
}

type droppedBody struct {
	ID     string `json:"id"`
	Reason string `json:"reason" example:"expired" doc:"gone, inactive, ended, not_yet, expired, region, age, unsafe, excluded, returned, unwanted, unwanted_maker, unwanted_topic, seen, served, filtered"`
}

type decisionBody struct {
	Rule   string `json:"rule" example:"guard"`
	Action string `json:"action" example:"dropped"`
	Detail string `json:"detail,omitempty" example:"already_seen"`
}

type reasonBody struct {
	Code   string  `json:"code" example:"because_watched"`
	Text   string  `json:"text"`
	ItemID string  `json:"item_id,omitempty"`
	Weight float64 `json:"weight"`
}

type degradedBody struct {
	Stage  string `json:"stage"`
	Reason string `json:"reason"`
}

type slateOutput struct {
	ServerTiming string `header:"Server-Timing"`
	Body         slateBody
}

func (a *api) recommend(ctx context.Context, in *struct{ Body recommendBody }) (*slateOutput, error) {
	req, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	return a.answer(ctx, req)
}

func (a *api) similar(ctx context.Context, in *struct{ Body similarBody }) (*slateOutput, error) {
	req, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	req.Like, req.Unlike = itemIDs(in.Body.ItemIDs), itemIDs(in.Body.NegativeItemIDs)
	req.LikeStrategy = in.Body.Strategy
	return a.answer(ctx, req)
}

// rank is recommend among the caller's candidates. What would take from these or
// add to them has no place in it.
func (a *api) rank(ctx context.Context, in *struct{ Body rankBody }) (*slateOutput, error) {
	b := &in.Body
	for _, f := range []struct {
		field string
		given bool
	}{
		{"diversity", b.Diversity != nil}, {"explore", b.Explore != nil}, {"backfill", b.Backfill != ""}, {"context/item_id", b.Context != nil && b.Context.ItemID != ""},
	} {
		if f.given {
			return nil, upnext.Invalid(f.field, "of no meaning here: your candidates are ranked by score alone")
		}
	}
	req, err := b.request()
	if err != nil {
		return nil, err
	}
	req.Candidates = itemIDs(b.ItemIDs)
	return a.answer(ctx, req)
}

func (a *api) search(ctx context.Context, in *struct{ Body searchBody }) (*slateOutput, error) {
	req, err := in.Body.request()
	if err != nil {
		return nil, err
	}
	if req.Query = strings.TrimSpace(in.Body.Query); req.Query == "" {
		return nil, upnext.Invalid("query", "empty")
	}
	return a.answer(ctx, req)
}

// request turns a body into the noun.
func (b RequestBody) request() (upnext.Request, error) {
	viewer, err := viewerOf(b.UserID, b.AnonymousID, false)
	if err != nil {
		return upnext.Request{}, err
	}
	req := upnext.Request{
		Viewer: viewer, Session: b.SessionID, Scenario: b.Scenario, Count: b.Count,
		Filter: b.Filter, Include: b.Include, Diversity: b.Diversity, Explore: b.Explore, Explain: b.Explain, Backfill: b.Backfill,
		Deadline: time.Duration(b.DeadlineMS) * time.Millisecond, Unrecorded: b.Record != nil && !*b.Record,
	}
	if c := b.Context; c != nil {
		req.Locale, req.Device, req.Region, req.Context = c.Locale, c.Device, c.Region, c.Values
		if c.ItemID != "" {
			req.Like = []upnext.ItemID{upnext.ItemID(c.ItemID)}
		}
	}
	req.Boosts = boosts(b.Boosts)
	if e := b.Exclude; e != nil {
		req.Exclude.Items, req.Exclude.Creators, req.Exclude.Seen = itemIDs(e.ItemIDs), e.CreatorIDs, upnext.SeenScope(e.Seen)
		if req.Exclude.SeenWithin, err = parseSpan(e.SeenWithin); err != nil {
			return req, upnext.Within("exclude/seen_within", err)
		}
	}
	return req, req.Validate()
}

func itemIDs(texts []string) []upnext.ItemID {
	var ids []upnext.ItemID
	for _, id := range texts {
		ids = append(ids, upnext.ItemID(id))
	}
	return ids
}

func boosts(bodies []boostBody) []upnext.Boost {
	var list []upnext.Boost
	for _, b := range bodies {
		list = append(list, upnext.Boost(b))
	}
	return list
}

// parseSpan reads a duration that may be in days: "30d", "12h".
func parseSpan(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		hours, err := time.ParseDuration(days + "h")
		if err != nil || hours < 0 || hours > 1e6*time.Hour {
			return 0, upnext.Invalid("", "%.80q is not a time such as 30d or 12h", s)
		}
		return 24 * hours, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, upnext.Invalid("", "%.80q is not a time such as 30d or 12h", s)
	}
	return d, nil
}

// viewerOf names the viewer of a body; must says that one is needed.
func viewerOf(user, anonymous string, must bool) (upnext.ViewerID, error) {
	switch {
	case user != "" && anonymous != "":
		return upnext.ViewerID{}, upnext.Invalid("anonymous_id", "beside user_id: one of the two")
	case user != "":
		return upnext.ViewerID{ID: user}, nil
	case anonymous != "":
		return upnext.ViewerID{ID: anonymous, Anonymous: true}, nil
	case must:
		return upnext.ViewerID{}, upnext.Invalid("user_id", "missing (or anonymous_id)")
	}
	return upnext.ViewerID{}, nil
}

// answer asks the recommender and dresses its slate.
func (a *api) answer(ctx context.Context, req upnext.Request) (*slateOutput, error) {
	who := callerOf(ctx)
	if err := a.mayAsk(who, req); err != nil {
		return nil, err
	}
	slate, err := a.Recommender.Recommend(ctx, who.tenant, req)
	if err != nil {
		return nil, err
	}
	return a.dress(ctx, slate, req)
}

// mayAsk refuses what needs another key or a server at ease, and fields that no
// item has.
func (a *api) mayAsk(who caller, req upnext.Request) error {
	if req.Explain == serve.ExplainTrace && !who.secret {
		return newProblem(http.StatusForbidden, "explain=trace needs a secret key")
	}
	if req.Explain == serve.ExplainTrace && a.door.Pressed() { // viewers wait
		return overloaded(door.Low)
	}
	for i, name := range req.Include {
		if !includable(name) {
			return upnext.Invalid(fmt.Sprintf("include/%d", i), "%.80q is no field of an item", name)
		}
	}
	return nil
}

// dress puts a slate into the shape of the API, with as much of it as was
// asked for.
func (a *api) dress(ctx context.Context, slate upnext.Slate, req upnext.Request) (*slateOutput, error) {
	who, trace := callerOf(ctx), req.Explain == serve.ExplainTrace
	tellsOf(ctx, req.Viewer)
	out := &slateOutput{Body: slateBody{
		ID: string(slate.ID), Scenario: slate.Scenario, Variant: slate.Variant, Items: a.placed(who.tenant, slate.Items, req.Include, trace),
		Shortfall: max(0, slate.Shortfall), Degraded: []degradedBody{}, TimingsMS: map[string]float64{}, NextCursor: slate.Next,
	}}
	for _, d := range slate.Refused {
		out.Body.Dropped = append(out.Body.Dropped, droppedBody{string(d.Item), d.Cause})
	}
	if slate.Next != "" {
		out.Body.ExpiresAt = &slate.Until
	}
	if slices.Contains(req.Include, "description") {
		a.describe(ctx, who.tenant, &out.Body)
	}
	for _, d := range slate.Degraded {
		out.Body.Degraded = append(out.Body.Degraded, degradedBody(d))
	}
	if trace {
		out.Body.Versions, out.Body.Unshown = slate.Versions, a.placed(who.tenant, slate.Unshown, nil, true)
		out.Body.Variety = slate.Variety
		out.Body.Trace = a.traced(who.tenant, slate.Trace)
	}
	var header []string
	for stage, took := range slate.Timings {
		ms := float64(took.Microseconds()) / 1000
		out.Body.TimingsMS[stage] = ms
		header = append(header, fmt.Sprintf("%s;dur=%.3f", stage, ms))
	}
	slices.Sort(header)
	out.ServerTiming = strings.Join(header, ", ")
	return out, nil
}

func (a *api) placed(t upnext.Tenant, items []upnext.Placed, include []string, trace bool) []placedBody {
	bodies := make([]placedBody, len(items))
	for i, p := range items {
		b := placedBody{ID: string(p.Item), Score: p.Score, Rank: p.Rank, Sources: p.Sources, Blur: p.Blur, Token: p.Token}
		if b.Sources == nil {
			b.Sources = []string{}
		}
		for _, r := range p.Reasons {
			b.Reasons = append(b.Reasons, reasonBody{r.Code, r.Text, string(r.Item), r.Weight})
		}
		if trace {
			b.Features, b.Ranks = p.Features, p.Ranks
			for _, d := range p.Decisions {
				b.Decisions = append(b.Decisions, decisionBody(d))
			}
			for _, o := range p.Origins {
				b.Origins = append(b.Origins, originBody{o.Source, o.Rank, o.Score, o.Share, string(o.From), o.About})
			}
		}
		if rec, ok := a.Recommender.Record(t, p.Item); ok {
			b.Kind = string(rec.Item.Kind)
			b.Properties = properties(rec, include)
		}
		bodies[i] = b
	}
	return bodies
}

// describe adds the descriptions, which memory does not hold. A page without
// them is better than none.
func (a *api) describe(ctx context.Context, t upnext.Tenant, body *slateBody) {
	ids := make([]upnext.ItemID, len(body.Items))
	for i, it := range body.Items {
		ids[i] = upnext.ItemID(it.ID)
	}
	texts, err := a.Recommender.Descriptions(ctx, t, ids...)
	if err != nil {
		body.Degraded = append(body.Degraded, degradedBody{Stage: "description", Reason: err.Error()})
	}
	for i, id := range ids {
		if text := texts[id]; text != "" && body.Items[i].Properties != nil {
			body.Items[i].Properties["description"] = text
		}
	}
}
