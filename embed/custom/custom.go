// Package custom speaks to embedding servers of a form of their own, described
// by a file: a template of the request and the path to the vectors in the answer.
package custom

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"text/template"

	"gopkg.in/yaml.v3"

	"upnext"
	"upnext/embed"
	"upnext/embed/endpoint"
)

// Form is what the file says.
type Form struct {
	Endpoints []string          `yaml:"endpoints"` // addresses that are posted to as they stand
	Model     string            `yaml:"model"`     // names the weights
	Headers   map[string]string `yaml:"headers"`   // ${NAME} stands for a variable of the environment
	Request   string            `yaml:"request"`   // template of the body, of .Inputs and .Input: {Text, Base64, MIME}; json quotes
	Vectors   string            `yaml:"vectors"`   // where the vectors are: data.*.embedding; of one input: embedding
	Batch     int               `yaml:"batch"`     // inputs a request; 1
	Dim       int               `yaml:"dim"`       // components of a vector; 0: as answered
}

// Engine speaks a Form.
type Engine struct {
	Form
	body    *template.Template
	headers map[string]string
	http    *endpoint.HTTP
}

var _ endpoint.Engine = (*Engine)(nil)

// Read reads and checks a form's file.
func Read(file string) (Form, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return Form{}, fmt.Errorf("custom endpoint: %v: %w", err, upnext.ErrInvalid)
	}
	var f Form
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		return Form{}, fmt.Errorf("custom endpoint %s: %v: %w", file, err, upnext.ErrInvalid)
	}
	return f, nil
}

// New makes the Engine of a form.
func New(f Form, transport http.RoundTripper) (*Engine, error) {
	for _, needed := range []struct{ name, value string }{{"request", f.Request}, {"vectors", f.Vectors}, {"model", f.Model}} {
		if needed.value == "" {
			return nil, fmt.Errorf("custom endpoint: no %s: %w", needed.name, upnext.ErrInvalid)
		}
	}
	body, err := template.New("request").Funcs(template.FuncMap{"json": quoted}).Option("missingkey=error").Parse(f.Request)
	if err != nil {
		return nil, fmt.Errorf("custom endpoint: %v: %w", err, upnext.ErrInvalid)
	}
	e := &Engine{Form: f, body: body, headers: map[string]string{}, http: endpoint.NewHTTP(transport, "")}
	e.Batch = max(1, f.Batch)
	for name, value := range f.Headers {
		e.headers[name] = os.ExpandEnv(value)
	}
	return e, nil
}

func quoted(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// input is what a template sees.
type input struct{ Text, Base64, MIME string }

// Call implements endpoint.Engine.
func (e *Engine) Call(ctx context.Context, base string, inputs []embed.Input) (endpoint.Reply, error) {
	seen := make([]input, len(inputs))
	for i, in := range inputs {
		seen[i] = input{Text: in.Text}
		if in.Image != nil {
			seen[i] = input{Base64: base64.StdEncoding.EncodeToString(in.Image), MIME: endpoint.MIME(in.Image)}
		}
	}
	var body bytes.Buffer
	if err := e.body.Execute(&body, map[string]any{"Inputs": seen, "Input": seen[0]}); err != nil {
		return endpoint.Reply{}, fmt.Errorf("request template: %w", err)
	}
	if !json.Valid(body.Bytes()) {
		return endpoint.Reply{}, fmt.Errorf("the request template gives no JSON: use {{json .Input.Text}}: %w", upnext.ErrInvalid)
	}
	var answer any
	if err := e.http.JSON(ctx, base, body.Bytes(), &answer, e.headers); err != nil {
		return endpoint.Reply{}, err
	}
	vectors, err := follow(answer, strings.Split(e.Vectors, "."))
	return endpoint.Reply{Vectors: vectors}, err
}

// follow goes a path of names, positions and * down to one vector or to a list.
func follow(at any, path []string) ([][]float32, error) {
	if len(path) == 0 {
		return vectors(at)
	}
	switch here := at.(type) {
	case map[string]any:
		if next, ok := here[path[0]]; ok {
			return follow(next, path[1:])
		}
	case []any:
		if path[0] == "*" {
			var all [][]float32
			for _, next := range here {
				some, err := follow(next, path[1:])
				if err != nil {
					return nil, err
				}
				all = append(all, some...)
			}
			return all, nil
		}
		if n, err := strconv.Atoi(path[0]); err == nil && n >= 0 && n < len(here) {
			return follow(here[n], path[1:])
		}
	}
	return nil, fmt.Errorf("the answer has no %q where the path to the vectors leads", path[0])
}

// vectors reads a list of numbers as one vector and a list of lists as many.
func vectors(at any) ([][]float32, error) {
	list, ok := at.([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("the path to the vectors ends at something else")
	}
	if _, nested := list[0].([]any); nested {
		var all [][]float32
		for _, one := range list {
			some, err := vectors(one)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	}
	v := make([]float32, len(list))
	for i, x := range list {
		f, ok := x.(float64)
		if !ok {
			return nil, fmt.Errorf("component %d of a vector is no number", i)
		}
		v[i] = float32(f)
	}
	return [][]float32{v}, nil
}
