package api

import (
	"context"
	"fmt"

	"upnext"
)

type pageRequestBody struct {
	RequestBody
	Rows []rowRequestBody `json:"rows,omitempty" maxItems:"30" doc:"Left out: those that suit the viewer. What is beside this list holds for each row."`
}

type rowRequestBody struct {
	Name      string      `json:"name" minLength:"1" maxLength:"256" doc:"Another one for each row."`
	Title     string      `json:"title,omitempty" maxLength:"2000" doc:"Comes back as it is."`
	Fixed     bool        `json:"fixed,omitempty" doc:"The row stays at its place in this list; the others are put in order around it."`
	MinCount  int         `json:"min_count,omitempty" minimum:"1" maximum:"200" doc:"With fewer items it is left out. Default 1."`
	Scenario  string      `json:"scenario,omitempty" maxLength:"64" doc:"Default: the page's."`
	Count     int         `json:"count,omitempty" minimum:"1" maximum:"200" doc:"Default: the page's, or 20."`
	ItemIDs   []string    `json:"item_ids,omitempty" maxItems:"100" doc:"A row of items like these."`
	Query     string      `json:"query,omitempty" maxLength:"2000" doc:"A row of what a search finds."`
	Sources   []string    `json:"sources,omitempty" maxItems:"50" doc:"Ask these alone, such as continue, live, trending, fresh, popular, followed." example:"[\"live\"]"`
	Filter    string      `json:"filter,omitempty" doc:"Holds beside the page's."`
	Boosts    []boostBody `json:"boosts,omitempty" maxItems:"50" doc:"Beside the page's."`
	Diversity *float64    `json:"diversity,omitempty" minimum:"0" maximum:"1"`
}

type pageBody struct {
	ID        string             `json:"id" example:"page_01J…"`
	Rows      []rowBody          `json:"rows"`
	LeftOut   []leftOutBody      `json:"left_out" doc:"Rows that are not shown, and why."`
	TimingsMS map[string]float64 `json:"timings_ms"`
}

type rowBody struct {
	Name  string  `json:"name"`
	Title string  `json:"title,omitempty" doc:"Of rows that suit the viewer: in their language."`
	Worth float64 `json:"worth" doc:"What the row's first items are worth to the viewer, 0 to 1: rows stand in the order of it."`
	slateBody
}

type leftOutBody struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

type pageOutput struct {
	ServerTiming string `header:"Server-Timing"`
	Body         pageBody
}

// page answers with rows.
func (a *api) page(ctx context.Context, in *struct{ Body pageRequestBody }) (*pageOutput, error) {
	req, err := in.Body.pageRequest()
	if err != nil {
		return nil, err
	}
	who := callerOf(ctx)
	if err := a.mayAsk(who, req.Request); err != nil {
		return nil, err
	}
	page, err := a.Recommender.Page(ctx, who.tenant, req)
	if err != nil {
		return nil, err
	}
	total := float64(page.Took.Microseconds()) / 1000
	out := &pageOutput{ServerTiming: fmt.Sprintf("total;dur=%.3f", total), Body: pageBody{
		ID: string(page.ID), Rows: make([]rowBody, len(page.Rows)), LeftOut: []leftOutBody{}, TimingsMS: map[string]float64{"total": total},
	}}
	for _, l := range page.LeftOut {
		out.Body.LeftOut = append(out.Body.LeftOut, leftOutBody{l.Row, l.Reason})
	}
	for i, row := range page.Rows {
		dressed, err := a.dress(ctx, row.Slate, req.Request)
		if err != nil {
			return nil, err
		}
		out.Body.Rows[i] = rowBody{row.Name, row.Title, row.Worth, dressed.Body}
	}
	return out, nil
}

// pageRequest turns a body into the noun.
func (b pageRequestBody) pageRequest() (req upnext.PageRequest, err error) {
	if b.Context != nil && b.Context.ItemID != "" {
		return req, upnext.Invalid("context/item_id", "of no meaning here: a row has item_ids")
	}
	if req.Request, err = b.request(); err != nil {
		return req, err
	}
	for _, r := range b.Rows {
		req.Rows = append(req.Rows, upnext.Row{
			Name: r.Name, Title: r.Title, Fixed: r.Fixed, Least: r.MinCount, Scenario: r.Scenario, Count: r.Count,
			Like: itemIDs(r.ItemIDs), Query: r.Query, Sources: r.Sources, Filter: r.Filter, Boosts: boosts(r.Boosts), Diversity: r.Diversity,
		})
	}
	return req, req.Validate()
}
