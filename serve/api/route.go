package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"upnext/ingest/itemjson"
)

// maxBody is the longest body of a typed route, in bytes: an item with the
// longest transcript fits.
const maxBody = 8 << 20

type handler[I, O any] func(ctx context.Context, in *I) (*O, error)

func get[I, O any](a *api, path, tag, summary string, h handler[I, O]) {
	register(a, http.MethodGet, path, tag, summary, http.StatusOK, h)
}

func put[I, O any](a *api, path, tag, summary string, h handler[I, O]) {
	register(a, http.MethodPut, path, tag, summary, http.StatusOK, h)
}

func patch[I, O any](a *api, path, tag, summary string, h handler[I, O]) {
	register(a, http.MethodPatch, path, tag, summary, http.StatusOK, h)
}

func post[I, O any](a *api, path, tag string, status int, summary string, h handler[I, O]) {
	register(a, http.MethodPost, path, tag, summary, status, h)
}

func remove[I, O any](a *api, path, tag, summary string, h handler[I, O]) {
	status := http.StatusOK
	if _, empty := any(*new(O)).(struct{}); empty {
		status = http.StatusNoContent
	}
	register(a, http.MethodDelete, path, tag, summary, status, h)
}

// register declares a typed route: errors of the handler become Problems.
func register[I, O any](a *api, method, path, tag, summary string, status int, h handler[I, O]) {
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Summary: summary, Tags: []string{tag},
		DefaultStatus: status, MaxBodyBytes: maxBody, BodyReadTimeout: -1, // receive has read it
	}
	if method == http.MethodPost {
		op.Parameters = []*huma.Param{onceParam()}
	}
	if _, raw := any(new(I)).(*itemInput); raw {
		// itemjson reads these bodies: huma is told what they are.
		schema := a.huma.OpenAPI().Components.Schemas.Schema(typeOf[itemjson.Item](), true, "")
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
		if method == http.MethodPatch {
			op.RequestBody.Content = map[string]*huma.MediaType{"application/merge-patch+json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}
		}
		op.SkipValidateBody = true
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			p := a.problem(ctx, err)
			p.Instance = pathOf(ctx)
			return nil, p
		}
		return out, nil
	})
	if op.RequestBody != nil {
		delete(op.RequestBody.Content, "application/octet-stream") // huma's guess for raw bodies
	}
}

// raw declares a route that gin serves and huma only describes.
func (a *api) raw(engine *gin.Engine, op *huma.Operation, h gin.HandlerFunc) {
	a.huma.OpenAPI().AddOperation(op)
	engine.Handle(op.Method, strings.NewReplacer("{", ":", "}", "").Replace(op.Path), h)
}

// operationID makes "put-v1-items-id" of PUT /v1/items/{id}, less the version.
func operationID(method, path string) string {
	path = strings.NewReplacer("/v1/", "", "{", "", "}", "", "/", "-").Replace(path)
	return strings.ToLower(method) + "-" + path
}
