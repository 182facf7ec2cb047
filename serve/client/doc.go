// Package client is the Go client of upnext's HTTP API, generated from openapi.yaml
// by oapi-codegen (task clients); example shows a viewer's evening with it.
//
// Every operation has a method of [ClientWithResponses], whose answer holds the
// decoded body for each status: JSON200 and its like, or, where the server says
// what is wrong, ApplicationproblemJSONDefault, with a pointer into the body.
package client

import (
	"context"
	"net/http"
)

// WithKey sends a secret or publishable key with every request.
func WithKey(key string) ClientOption {
	return WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
		if key != "" {
			req.Header.Set("Authorization", "Bearer "+key)
		}
		return nil
	})
}
