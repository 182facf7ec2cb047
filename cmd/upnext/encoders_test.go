package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/embed"
)

func TestParseEncoder(t *testing.T) {
	t.Setenv("MY_KEY", "secret")
	c, p, err := parseEncoder("openai:http://a:1/v1,http://b:2/v1?model=BAAI/bge-m3&dimensions=256&encoding=base64&prefix=passage: &query_prefix=query: &centre=language&key_env=MY_KEY&batch=8", embed.Text)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Endpoints, []string{"http://a:1/v1", "http://b:2/v1"}) || c.MaxBatch != 8 || c.ID != "baai-bge-m3-d256-with-passage" {
		t.Errorf("got %+v", c)
	}
	if p.prefix != "passage: " || p.queryPrefix != "query: " || !p.centre || !p.base64 || p.key != "secret" {
		t.Errorf("got %+v", p)
	}
	for setting, says := range map[string]string{
		"gpt:http://a":                       "no such engine",
		"openai:http://a":                    "no model",
		"openai:http://a?model=m&batch=x":    "batch",
		"openai:http://a?model=m&size=1":     "no such parameter",
		"openai:http://a?model=m&encoding=x": "base64",
		"openai:http://a?model=m&centre=x":   "language",
		"tei:http://a?prefix=x":              "model=",
		"custom:nowhere.yaml":                "nowhere.yaml",
	} {
		if _, _, err := parseEncoder(setting, embed.Text); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want an ErrInvalid that says %q", setting, err, says)
		}
	}
	for _, setting := range []string{"tei:http://a", "openai:http://a?model=m", "infinity:http://a?model=m&centre=language"} {
		if _, _, err := parseEncoder(setting, embed.Image); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s for pictures: got %v, want ErrInvalid", setting, err)
		}
	}
	// What fails shows no secret of the address.
	_, err = openEncoder(t.Context(), "openai:ftp://user:pass@host/v1?model=m", embed.Text, encoderOptions{})
	if !errors.Is(err, upnext.ErrInvalid) || strings.Contains(err.Error(), "pass") {
		t.Errorf("got %v, want an ErrInvalid without the password", err)
	}
	if c, _, err = parseEncoder("vllm:http://a?model=m", embed.Image); err != nil || c.MaxBatch != 1 {
		t.Errorf("vllm: got batches of %d, %v; want 1", c.MaxBatch, err)
	}
}
