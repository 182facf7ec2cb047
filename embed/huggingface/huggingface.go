// Package huggingface speaks to Hugging Face Inference Endpoints and to text
// embeddings inference (TEI) through go-huggingface. Text only.
package huggingface

import (
	"context"
	"net/http"
	"strings"

	hf "github.com/hupe1980/go-huggingface"

	"upnext/embed"
	"upnext/embed/endpoint"
)

// Engine is one kind of server. The library loses the status and the
// Retry-After, sets no deadline and reads without limit: endpoint.HTTP, which it
// is given as its client, does all that.
type Engine struct {
	http   *endpoint.HTTP
	client *hf.InferenceClient
	path   string // of the embedding route below an endpoint
}

var (
	_ endpoint.Engine   = (*Engine)(nil)
	_ endpoint.Informer = (*Engine)(nil)
)

// TEI is the Engine of a TEI server, whose address is given without a route.
func TEI(token string, transport http.RoundTripper) *Engine { return open(token, transport, "/embed") }

// Inference is the Engine of an Inference Endpoint, which is posted to as it stands.
func Inference(token string, transport http.RoundTripper) *Engine { return open(token, transport, "") }

func open(token string, transport http.RoundTripper, path string) *Engine {
	client := endpoint.NewHTTP(transport, token)
	return &Engine{http: client, path: path, client: hf.NewInferenceClient("", func(o *hf.InferenceClientOptions) { o.HTTPClient = client })}
}

// Call implements endpoint.Engine.
func (e *Engine) Call(ctx context.Context, base string, inputs []embed.Input) (endpoint.Reply, error) {
	texts := make([]string, len(inputs))
	for i, in := range inputs {
		texts[i] = in.Text
	}
	vectors, err := e.client.FeatureExtractionWithAutomaticReduction(ctx, &hf.FeatureExtractionRequest{
		Inputs: texts, Model: strings.TrimSuffix(base, "/") + e.path,
	})
	return endpoint.Reply{Vectors: vectors}, err
}

// About implements endpoint.Informer by TEI's GET /info.
func (e *Engine) About(ctx context.Context, base string) (endpoint.About, error) {
	var told struct {
		Model    string `json:"model_id"`
		MaxBatch int    `json:"max_client_batch_size"`
		MaxInput int    `json:"max_input_length"`
	}
	err := e.http.JSON(ctx, strings.TrimSuffix(base, "/")+"/info", nil, &told, nil)
	return endpoint.About{Model: told.Model, MaxBatch: told.MaxBatch, MaxInput: told.MaxInput}, err
}
