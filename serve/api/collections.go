package api

import (
	"context"
	"time"

	"upnext"
)

type collectionBody struct {
	Name       string       `json:"name" doc:"Models, dimensions and weights in one: vectors of two names cannot be compared."`
	TextModel  string       `json:"text_model,omitempty" doc:"Absent where no encoder for it is configured."`
	ImageModel string       `json:"image_model,omitempty"`
	Role       string       `json:"role" enum:"main,next,kept" doc:"main and next are kept up to date; kept is what former encoders left."`
	Promoted   bool         `json:"promoted" doc:"Requests are answered from it."`
	Entries    int          `json:"entries" doc:"That the index has."`
	Items      int64        `json:"items" doc:"In the catalogue."`
	Searchable int64        `json:"searchable" doc:"Of them, as they stand now."`
	Bare       int64        `json:"bare" doc:"Of them, with nothing that an encoder could read."`
	Pending    int64        `json:"pending" doc:"Of them, still to be embedded."`
	Upgrade    *upgradeBody `json:"upgrade,omitempty" doc:"What filling it in the background has cost, over restarts."`
}

type upgradeBody struct {
	BeganAt         time.Time  `json:"began_at"`
	FullAt          *time.Time `json:"full_at,omitempty" doc:"When it was full for the first time."`
	Texts           int64      `json:"texts" doc:"Passages embedded."`
	Images          int64      `json:"images" doc:"Pictures embedded."`
	EndpointSeconds float64    `json:"endpoint_seconds" doc:"That the encoders were waited for, over all workers."`
	PerSecond       float64    `json:"items_per_second" doc:"Of late; 0 when it is full."`
	SecondsLeft     float64    `json:"seconds_left" doc:"At that speed; 0 where it is not known."`
	Error           string     `json:"error,omitempty" doc:"Why it waits."`
}

type collectionsOutput struct {
	Body struct {
		Collections []collectionBody `json:"collections"`
	}
}

func (a *api) listCollections(ctx context.Context, _ *struct{}) (*collectionsOutput, error) {
	all, err := a.Collections.List(ctx, callerOf(ctx).tenant)
	if err != nil {
		return nil, err
	}
	var out collectionsOutput
	out.Body.Collections = make([]collectionBody, len(all))
	for i, c := range all {
		out.Body.Collections[i] = bodyOfCollection(c)
	}
	return &out, nil
}

func (a *api) promoteCollection(ctx context.Context, in *struct {
	Name  string `path:"name"`
	Force bool   `query:"force" doc:"Even with items pending, which then are not found by vectors."`
}) (*collectionsOutput, error) {
	if err := a.Collections.Promote(ctx, callerOf(ctx).tenant, in.Name, in.Force); err != nil {
		return nil, err
	}
	return a.listCollections(ctx, nil)
}

func (a *api) dropCollection(ctx context.Context, in *struct {
	Name string `path:"name"`
}) (*struct{}, error) {
	return nil, a.Collections.Drop(ctx, callerOf(ctx).tenant, in.Name)
}

func bodyOfCollection(c Collection) collectionBody {
	b := collectionBody{
		Name: c.Name, TextModel: c.Text, ImageModel: c.Image, Role: c.Role, Promoted: c.Promoted, Entries: c.Entries,
		Items: c.Tally.Items, Searchable: c.Tally.Searchable, Bare: c.Tally.Bare, Pending: c.Tally.Pending(),
	}
	if c.Began.IsZero() {
		return b
	}
	b.Upgrade = &upgradeBody{
		BeganAt: c.Began, Texts: c.Texts, Images: c.Images, EndpointSeconds: c.Endpoint.Seconds(),
		PerSecond: c.PerSecond, SecondsLeft: c.Remaining.Seconds(), Error: c.Error,
	}
	if !c.Full.IsZero() {
		b.Upgrade.FullAt = &c.Full
	}
	return b
}

// answering is the collection that the tenant's requests are answered from.
func (a *api) answering(ctx context.Context, t upnext.Tenant) string {
	if name, _, err := a.Recommender.Collections.Active(ctx, t); err == nil {
		return name
	}
	return a.Collection
}
