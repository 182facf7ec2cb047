package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/embed/cached"
	"upnext/embed/centre"
	"upnext/embed/custom"
	"upnext/embed/endpoint"
	"upnext/embed/huggingface"
	"upnext/embed/openai"
	"upnext/understand/zeroshot"
)

// encoder is an Embedder chosen by the settings.
type encoder struct {
	embed.Embedder
	query embed.Embedder // for what viewers type; the same space
	close func() error
}

// cacheBytes is what the vectors of an endpoint that come again may take.
const cacheBytes = 64 << 20

// encoderOptions are what the settings' text is completed with.
type encoderOptions struct {
	dataDir string                // where means per language are kept; empty: nowhere
	logger  *slog.Logger          // nil: silent
	metrics prometheus.Registerer // nil: not counted
}

// openEncoder opens the encoder that a setting names:
//
//	builtin
//	tei:http://host:8080,http://other:8080
//	hf:https://name.endpoints.huggingface.cloud      the key is in HF_TOKEN
//	openai:http://host:8000/v1?model=NAME            the key is in OPENAI_API_KEY
//	infinity:http://host:7997?model=NAME
//	vllm:http://host:8000/v1?model=NAME
//	custom:FILE.yaml
//
// with the parameters of parse behind.
func openEncoder(ctx context.Context, setting string, of embed.Modality, o encoderOptions) (*encoder, error) {
	if setting == "" || setting == "builtin" {
		return builtinEncoder(of)
	}
	c, p, err := parseEncoder(setting, of)
	if err != nil {
		return nil, fmt.Errorf("--%s-encoder: %w", of, err)
	}
	c.Metrics, c.Logger = o.metrics, o.logger
	client, err := endpoint.Open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("--%s-encoder: %w", of, err)
	}
	e := &encoder{close: client.Close}
	if e.Embedder, err = cached.New(client, cacheBytes); err == nil {
		err = e.decorate(ctx, p, o)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--%s-encoder: %w", of, err), client.Close())
	}
	return e, nil
}

func builtinEncoder(of embed.Modality) (e *encoder, err error) {
	e = &encoder{close: func() error { return nil }}
	if of == embed.Image {
		e.Embedder, err = builtin.Image()
	} else {
		e.Embedder, err = builtin.Text()
	}
	e.query = e.Embedder
	return e, err
}

// decorate adds prefixes and takes the mean per language out.
func (e *encoder) decorate(ctx context.Context, p parameters, o encoderOptions) error {
	plain := e.Embedder
	items, err := p.decorated(ctx, plain, p.prefix, "", o)
	if err != nil {
		return err
	}
	e.Embedder, e.query = items, items
	if p.queryPrefix != p.prefix {
		e.query, err = p.decorated(ctx, plain, p.queryPrefix, "-queries", o)
	}
	return err
}

func (p parameters) decorated(ctx context.Context, e embed.Embedder, prefix, name string, o encoderOptions) (embed.Embedder, error) {
	if prefix != "" {
		e = embed.Prefixed{Embedder: e, Prefix: prefix}
	}
	if !p.centre {
		return e, nil
	}
	keep := ""
	if o.dataDir != "" {
		keep = filepath.Join(o.dataDir, "means-"+e.Model().ID+name+".json")
	}
	return centre.Open(ctx, e, zeroshot.Language, keep)
}

// parameters are those that the endpoint's Config has no field for.
type parameters struct {
	model, prompt       string
	prefix, queryPrefix string
	dimensions          int
	base64, centre      bool
	key                 string
}

// parseEncoder reads a setting. Parameters: model, id, dim, dimensions, encoding
// (float, base64), prefix, query_prefix, prompt, centre (language), key_env (the
// variable that holds the key), batch, concurrency, wait, timeout.
func parseEncoder(setting string, of embed.Modality) (c endpoint.Config, p parameters, err error) {
	engine, rest, _ := strings.Cut(setting, ":")
	c = endpoint.Config{Reads: of}
	if engine == "custom" {
		return customEncoder(c, rest)
	}
	addresses, query, _ := strings.Cut(rest, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return c, p, fmt.Errorf("parameters of %s: cannot be read: %w", engine, upnext.ErrInvalid)
	}
	c.Endpoints = strings.Split(addresses, ",")
	keyEnv := map[string]string{"tei": "HF_TOKEN", "hf": "HF_TOKEN"}[engine]
	if keyEnv == "" {
		keyEnv = "OPENAI_API_KEY"
	}
	for name := range values {
		if err := setParameter(name, values.Get(name), &c, &p, &keyEnv); err != nil {
			return c, p, err
		}
	}
	if !values.Has("query_prefix") {
		p.queryPrefix = p.prefix
	}
	p.key = os.Getenv(keyEnv)
	if c.ID == "" && p.model != "" {
		c.ID = endpoint.Slug(p.model)
	}
	if c.ID != "" && !values.Has("id") {
		c.ID += p.suffix()
	}
	if of == embed.Image && (engine == "tei" || engine == "hf" || engine == "openai" || p.centre || p.prefix != "") {
		return c, p, fmt.Errorf("%s, prefix or centre for pictures: those are for texts; there are infinity, vllm and custom: %w", engine, upnext.ErrInvalid)
	}
	c.Engine, err = p.engine(engine, of, &c)
	return c, p, err
}

// suffix tells apart the vectors of one model made in several ways.
func (p parameters) suffix() string {
	s := ""
	if p.dimensions > 0 {
		s += fmt.Sprintf("-d%d", p.dimensions)
	}
	if p.prefix != "" {
		s += "-" + endpoint.Slug("with "+p.prefix)
	}
	return s
}

func (p parameters) engine(engine string, of embed.Modality, c *endpoint.Config) (endpoint.Engine, error) {
	form := openai.Config{Form: openai.Form(engine), Model: p.model, Dimensions: p.dimensions, Base64: p.base64, Prompt: p.prompt, Key: p.key}
	c.Name = p.model
	switch engine {
	case "tei", "hf":
		if p.prefix != "" && c.ID == "" {
			return nil, fmt.Errorf("%s with a prefix: needs model= or id=, to tell its vectors from those without: %w", engine, upnext.ErrInvalid)
		}
		if engine == "tei" {
			return huggingface.TEI(p.key, http.RoundTripper(nil)), nil
		}
		return huggingface.Inference(p.key, nil), nil
	case "vllm":
		if of == embed.Image {
			c.MaxBatch = 1 // a message is one item
		}
		return openai.New(form)
	case "openai", "infinity":
		return openai.New(form)
	}
	return nil, fmt.Errorf("encoder %q: no such engine; there are builtin, tei, hf, openai, infinity, vllm and custom: %w", engine, upnext.ErrInvalid)
}

func customEncoder(c endpoint.Config, file string) (endpoint.Config, parameters, error) {
	form, err := custom.Read(file)
	if err != nil {
		return c, parameters{}, err
	}
	engine, err := custom.New(form, nil)
	if err != nil {
		return c, parameters{}, fmt.Errorf("%s: %w", file, err)
	}
	c.Engine, c.Endpoints, c.Name, c.MaxBatch, c.Dim = engine, form.Endpoints, form.Model, engine.Batch, form.Dim
	return c, parameters{}, nil
}

// setParameter reads one parameter.
func setParameter(name, value string, c *endpoint.Config, p *parameters, keyEnv *string) (err error) {
	switch name {
	case "model":
		p.model = value
	case "id":
		if c.ID = endpoint.Slug(value); c.ID != value {
			err = errors.New("want [a-z0-9-]")
		}
	case "dim":
		c.Dim, err = strconv.Atoi(value)
	case "dimensions":
		p.dimensions, err = strconv.Atoi(value)
	case "encoding":
		if p.base64 = value == "base64"; !p.base64 && value != "float" {
			err = errors.New("there are float and base64")
		}
	case "prefix":
		p.prefix = value
	case "query_prefix":
		p.queryPrefix = value
	case "prompt":
		p.prompt = value
	case "centre":
		if p.centre = value == "language"; !p.centre {
			err = errors.New("there is language")
		}
	case "key_env":
		*keyEnv = value
	case "batch":
		c.MaxBatch, err = strconv.Atoi(value)
	case "concurrency":
		c.Concurrency, err = strconv.Atoi(value)
	case "wait":
		c.MaxWait, err = time.ParseDuration(value)
	case "timeout":
		c.Timeout, err = time.ParseDuration(value)
	default: // without its value, which may be a secret
		return fmt.Errorf("parameter %s: no such parameter: %w", name, upnext.ErrInvalid)
	}
	if err != nil {
		return fmt.Errorf("parameter %s=%q: %v: %w", name, value, err, upnext.ErrInvalid)
	}
	return nil
}
