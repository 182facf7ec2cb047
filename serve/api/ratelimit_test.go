package api_test

import (
	"strings"
	"testing"

	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
)

// TestRates: each key has its allowance, and the headers say what is left of it.
func TestRates(t *testing.T) {
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		c.Rates = api.Rates{Publishable: 0.01}
	}, append(bothKeys(), api.Key{Secret: "other-other-other", Tenant: "default", Publishable: true})...)
	s.key = pageKey
	status, h, _ := s.send("POST", "/v1/recommend", `{}`)
	if status != 200 || h.Get("RateLimit-Policy") != `"publishable";q=1;w=100` || h.Get("RateLimit") != `"publishable";r=0;t=100` {
		t.Errorf("the first: %d %v, want 200, one in 100 seconds, none left", status, h)
	}
	status, h, body := s.send("POST", "/v1/recommend", `{}`)
	if status != 429 || h.Get("Retry-After") < "90" && h.Get("Retry-After") != "100" || !strings.Contains(body, `"code":"rate_limited"`) || !strings.Contains(body, "request_id") {
		t.Errorf("the second: %d %v %s, want 429 and when to come again", status, h, body)
	}
	s.key = "other-other-other"
	if status, _, _ := s.send("POST", "/v1/recommend", `{}`); status != 200 {
		t.Errorf("another key: %d, want 200", status)
	}
	s.key = secretKey
	for range 3 {
		if status, h, _ := s.send("POST", "/v1/recommend", `{}`); status != 200 || h.Get("RateLimit") != "" || h.Get("RateLimit-Policy") != "" {
			t.Errorf("a key without a limit: %d %v, want 200 and no header", status, h)
		}
	}
}
