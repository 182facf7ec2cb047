// Package openai speaks to servers of OpenAI's form of embeddings: POST
// …/v1/embeddings. infinity and vLLM take pictures by it too, each in its own way.
package openai

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"

	"upnext"
	"upnext/embed"
	"upnext/embed/endpoint"
)

// Form is how a server takes its inputs.
type Form string

// The forms.
const (
	Plain    Form = "openai"   // texts in "input"
	Infinity Form = "infinity" // the same with "modality", pictures as data URIs
	VLLM     Form = "vllm"     // pictures in "messages", one a request
)

// Config says how to ask.
type Config struct {
	Form       Form // Plain
	Model      string
	Dimensions int    // asked for; 0: the model's own
	Base64     bool   // ask for vectors as base64: a quarter of the bytes
	Prompt     string // VLLM's text beside a picture; empty: the model's own (see prompt)
	Key        string // sent as a bearer token
	Transport  http.RoundTripper
}

// Engine speaks the form.
type Engine struct {
	Config
	http *endpoint.HTTP
}

var _ endpoint.Engine = (*Engine)(nil)

// New makes an Engine.
func New(c Config) (*Engine, error) {
	if c.Form == "" {
		c.Form = Plain
	}
	if c.Form != Plain && c.Form != Infinity && c.Form != VLLM {
		return nil, fmt.Errorf("form %q: there are openai, infinity and vllm: %w", c.Form, upnext.ErrInvalid)
	}
	if c.Model == "" {
		return nil, fmt.Errorf("%s endpoint: no model named: %w", c.Form, upnext.ErrInvalid)
	}
	if c.Dimensions < 0 {
		return nil, fmt.Errorf("%s endpoint: dimensions %d: %w", c.Form, c.Dimensions, upnext.ErrInvalid)
	}
	return &Engine{Config: c, http: endpoint.NewHTTP(c.Transport, c.Key)}, nil
}

// request is the body of all forms.
type request struct {
	Model      string    `json:"model"`
	Input      []string  `json:"input,omitempty"`
	Messages   []message `json:"messages,omitempty"`
	Modality   string    `json:"modality,omitempty"`
	Encoding   string    `json:"encoding_format"`
	Dimensions int       `json:"dimensions,omitempty"`
}

// answer is what all of them give.
type answer struct {
	Data []struct {
		Index     int    `json:"index"`
		Embedding vector `json:"embedding"`
	} `json:"data"`
	Usage struct {
		Total int `json:"total_tokens"`
	} `json:"usage"`
}

// Call implements endpoint.Engine.
func (e *Engine) Call(ctx context.Context, base string, inputs []embed.Input) (endpoint.Reply, error) {
	req, err := e.request(inputs)
	if err != nil {
		return endpoint.Reply{}, err
	}
	var got answer
	if err := e.http.JSON(ctx, strings.TrimSuffix(base, "/")+"/embeddings", req, &got, nil); err != nil {
		return endpoint.Reply{}, err
	}
	vectors := make([][]float32, len(inputs))
	if len(got.Data) != len(inputs) {
		return endpoint.Reply{}, fmt.Errorf("%d vectors for %d inputs", len(got.Data), len(inputs))
	}
	for _, d := range got.Data {
		if d.Index < 0 || d.Index >= len(vectors) || vectors[d.Index] != nil {
			return endpoint.Reply{}, fmt.Errorf("index %d of an answer to %d inputs is out of range or twice there", d.Index, len(inputs))
		}
		vectors[d.Index] = d.Embedding
	}
	return endpoint.Reply{Vectors: vectors, Tokens: got.Usage.Total}, nil
}

func (e *Engine) request(inputs []embed.Input) (request, error) {
	req := request{Model: e.Model, Dimensions: e.Dimensions, Encoding: "float"}
	if e.Base64 {
		req.Encoding = "base64"
	}
	pictures := len(inputs) > 0 && inputs[0].Image != nil
	switch {
	case pictures && e.Form == Plain:
		return req, fmt.Errorf("OpenAI's form takes no pictures: %w", upnext.ErrInvalid)
	case pictures && e.Form == VLLM:
		if len(inputs) != 1 {
			return req, fmt.Errorf("%d pictures, vLLM takes one a request: %w", len(inputs), upnext.ErrInvalid)
		}
		req.Messages = []message{picture(inputs[0].Image, e.prompt())}
		return req, nil
	case e.Form == Infinity:
		req.Modality = "text"
		if pictures {
			req.Modality = "image"
		}
	}
	for _, in := range inputs {
		if pictures {
			req.Input = append(req.Input, dataURI(in.Image))
		} else {
			req.Input = append(req.Input, in.Text)
		}
	}
	return req, nil
}

func dataURI(picture []byte) string {
	return "data:" + endpoint.MIME(picture) + ";base64," + base64.StdEncoding.EncodeToString(picture)
}

// vector is a list of numbers, or the base64 of its float32s, little end first:
// servers that know only one form answer in it whatever is asked.
type vector []float32

// UnmarshalJSON implements json.Unmarshaler.
func (v *vector) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '"' {
		// A null among the numbers, as some servers write NaN, would read as 0.
		if strings.Contains(string(data), "null") {
			return fmt.Errorf("a vector with null in it")
		}
		return json.Unmarshal(data, (*[]float32)(v))
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return fmt.Errorf("a vector of %d characters that is no base64 of float32s", len(text))
	}
	*v = make([]float32, len(raw)/4)
	for i := range *v {
		(*v)[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return nil
}
