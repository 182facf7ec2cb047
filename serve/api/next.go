package api

import (
	"context"

	"upnext/serve"
)

type nextBody struct {
	Cursor string `json:"cursor" minLength:"1" doc:"next_cursor of the answer before. Any of a recommendation's will do: what was returned under it does not come again."`
	Count  int    `json:"count,omitempty" minimum:"1" maximum:"200" doc:"How many items; default as at first."`
}

// next reads on under a cursor; what was asked at first, include and explain
// among it, holds.
func (a *api) next(ctx context.Context, in *struct{ Body nextBody }) (*slateOutput, error) {
	who := callerOf(ctx)
	slate, req, err := a.Recommender.Next(ctx, who.tenant, in.Body.Cursor, in.Body.Count)
	if err != nil {
		return nil, err
	}
	if !who.secret && req.Explain == serve.ExplainTrace {
		req.Explain = "" // a cursor opens no more than the key that brings it
	}
	return a.dress(ctx, slate, req)
}
