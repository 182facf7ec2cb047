package api_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
)

const (
	secretKey = "secret-secret-secret"
	pageKey   = "page-page-page-page"
	shop      = "https://shop.example"
)

func bothKeys() []api.Key {
	return []api.Key{{Secret: secretKey, Tenant: "default"}, {Secret: pageKey, Tenant: "default", Publishable: true}}
}

// TestCORS goes through what a browser does for a page of an allowed origin.
func TestCORS(t *testing.T) {
	s := start(t, bothKeys()...)
	status, h, _ := s.send("OPTIONS", "/v1/recommend", "", "Origin", shop, "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "authorization, content-type, idempotency-key, traceparent")
	if status != 204 {
		t.Fatalf("preflight: %d, want 204", status)
	}
	for name, parts := range map[string][]string{
		"Access-Control-Allow-Origin":      {shop},
		"Access-Control-Allow-Credentials": {"true"}, // sendBeacon claims them
		"Access-Control-Allow-Methods":     {"GET", "POST", "PUT", "PATCH", "DELETE"},
		"Access-Control-Allow-Headers":     {"Authorization", "Content-Type", "X-Api-Key", "Idempotency-Key", "If-Match", "If-None-Match", "Traceparent"},
		"Access-Control-Max-Age":           {"7200"},
	} {
		for _, part := range parts {
			if !strings.Contains(h.Get(name), part) {
				t.Errorf("preflight %s: %q, want %s in it", name, h.Get(name), part)
			}
		}
	}
	s.key = pageKey
	for _, body := range []string{`{}`, `{"count":0}`} { // an error must be readable too
		_, h, _ = s.send("POST", "/v1/recommend", body, "Origin", shop)
		for _, part := range []string{"ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "X-Request-Id"} {
			if !strings.Contains(h.Get("Access-Control-Expose-Headers"), part) {
				t.Errorf("%s: exposed %q, want %s in it", body, h.Get("Access-Control-Expose-Headers"), part)
			}
		}
		if h.Get("Access-Control-Allow-Origin") != shop || h.Get("Timing-Allow-Origin") != shop || !strings.Contains(h.Get("Vary"), "Origin") {
			t.Errorf("%s: %v, want the origin allowed and named in Vary", body, h)
		}
	}
	_, h, _ = s.send("POST", "/v1/recommend", `{}`, "Origin", "https://evil.example")
	if h.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(h.Get("Vary"), "Origin") {
		t.Errorf("another origin: %v, want nothing but Vary", h)
	}
}

// TestBeacon sends events as navigator.sendBeacon does: without a header, the
// key in the URL, and that nowhere in the log or an answer.
func TestBeacon(t *testing.T) {
	var log bytes.Buffer
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, bothKeys()...)
	one, two := event("e1", "u", "view", `,"item_id":"a"`), event("e2", "u", "view", `,"item_id":"a"`)
	at := "/v1/events?key=" + pageKey
	for _, c := range []struct {
		name, path, kind, body string
		status                 int
		says                   string
	}{
		{"an object", at, "text/plain;charset=UTF-8", one, 202, `"accepted":1`},
		{"known by now", at, "", one, 202, `"duplicates":1`},
		{"an array", at, "text/plain", "[" + one + "," + two + "]", 202, `"accepted":1,"duplicates":1`},
		{"lines", at, "text/plain", one + "\n" + two + "\n", 202, `"duplicates":2`},
		{"lines of a Blob", at, "application/x-ndjson", one + "\n" + two, 202, `"duplicates":2`},
		{"a broken second line", at, "text/plain", one + "\n{\"id\":", 202, `"duplicates":1,"rejected":[`},
		{"words", at, "text/plain", "hello", 422, "byte"},
		{"nothing", at, "text/plain", "", 422, "empty"},
		{"a secret key in a URL", "/v1/events?key=" + secretKey, "text/plain", one, 403, "may not be sent in a URL"},
		{"an unknown key", "/v1/events?key=unknown-unknown-unknown", "text/plain", one, 401, "not known"},
		{"another route", "/v1/recommend?key=" + pageKey, "application/json", `{}`, 401, "no key"},
	} {
		status, _, body := s.do("POST", c.path, c.kind, c.body)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s, want %d with %s", c.name, status, body, c.status, c.says)
		}
		if strings.Contains(body, pageKey) || strings.Contains(body, secretKey) {
			t.Errorf("%s: the answer holds the key: %s", c.name, body)
		}
	}
	if strings.Contains(log.String(), pageKey) || strings.Contains(log.String(), secretKey) {
		t.Errorf("the log holds a key:\n%s", log.String())
	}
}

// TestTraceparent: one that is as W3C wants it comes back, another does not.
func TestTraceparent(t *testing.T) {
	s := start(t)
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for in, want := range map[string]string{
		good: good, "": "", "rubbish": "", strings.ToUpper(good): "", "ff" + good[2:]: "",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": "", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01": "",
	} {
		for _, path := range []string{"/v1/recommend", "/v1/events"} {
			_, h, _ := s.send("POST", path, `{}`, "Traceparent", in)
			if got := h.Get("Traceparent"); got != want {
				t.Errorf("%s: traceparent %q comes back as %q, want %q", path, in, got, want)
			}
		}
	}
}
