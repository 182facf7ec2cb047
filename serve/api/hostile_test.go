package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
)

// hostile are bodies that somebody sends on purpose.
var hostile = map[string]string{
	"deep list":       strings.Repeat("[", 100_000),
	"deep object":     strings.Repeat(`{"context":`, 5000) + "1" + strings.Repeat("}", 5000),
	"deep value":      `{"context":{"values":{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}}}`,
	"huge number":     `{"count":` + strings.Repeat("9", 10_000) + `}`,
	"huge exponent":   `{"count":1e999999999}`,
	"twice":           `{"user_id":"a","user_id":"b"}`,
	"twice below":     `{"context":{"locale":"en","locale":"zh"}}`,
	"not UTF-8":       "{\"user_id\":\"a\xff\xfe\"}",
	"half surrogate":  `{"user_id":"\ud800"}`,
	"two values":      `{} {}`,
	"cut off":         `{"user_id":"a`,
	"a null":          `null`,
	"a number":        `7`,
	"a NaN":           `{"diversity":NaN}`,
	"control in text": "{\"user_id\":\"a\x01\"}",
	"byte order mark": "\ufeff{}",
	"nothing but [":   `[`,
}

// TestHostile sends them to every route with a body: 400 or 422, as a problem.
func TestHostile(t *testing.T) {
	s := start(t)
	s.fill()
	for name, body := range hostile {
		for _, route := range []string{
			"POST /v1/recommend", "POST /v1/similar", "POST /v1/rank", "POST /v1/pages", "POST /v1/search", "POST /v1/events", "PUT /v1/users/u", "PATCH /v1/users/u",
			"PUT /v1/items/x", "PATCH /v1/items/space-1", "POST /v1/items", "POST /v1/imports", "PUT /v1/schema/items", "PATCH /v1/items/space-1/understanding",
		} {
			method, path, _ := strings.Cut(route, " ")
			kind := "application/json"
			if method == "PATCH" {
				kind = "application/merge-patch+json"
			}
			status, header, answer := s.do(method, path, kind, body)
			if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
				t.Errorf("%s to %s: %d %.300s, want 400 or 422", name, route, status, answer)
			}
			if !strings.Contains(answer, `"rejected"`) && header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s to %s: %s, want a problem", name, route, header.Get("Content-Type"))
			}
		}
	}
	s.json(200, "POST", "/v1/recommend", `{"user_id":"a"}`)
}

// The bodies that publishable keys may send, and filters, each a test of its own:
// whatever is sent, never a 500, never a panic, and the server goes on.

func FuzzRecommendBody(f *testing.F) {
	f.Add([]byte(`{"user_id":"u","filter":"kind in ['video'] and not ('horror' in topics)","boosts":[{"if":"kind == 'live'","multiply":1.3}],"diversity":0.4,"exclude":{"seen_within":"30d"},"deadline_ms":80,"explain":"trace"}`))
	f.Add([]byte(`{"anonymous_id":"a","session_id":"s","count":3,"context":{"item_id":"space-1","locale":"zh","region":"DE","values":{"device":"tv"}},"include":["title"],"explain":"reasons","record":false,"backfill":"popular"}`))
	fuzzBodies(f, "/v1/recommend", func(b []byte) []byte { return b })
}

func FuzzSimilarBody(f *testing.F) {
	f.Add([]byte(`{"item_ids":["space-1"],"negative_item_ids":["space-2"],"strategy":"best_score"}`))
	fuzzBodies(f, "/v1/similar", func(b []byte) []byte { return b })
}

func FuzzRankBody(f *testing.F) {
	f.Add([]byte(`{"user_id":"u","item_ids":["space-1","space-2","nope"],"filter":"kind == 'video'","explain":"trace"}`))
	fuzzBodies(f, "/v1/rank", func(b []byte) []byte { return b })
}

func FuzzPageBody(f *testing.F) {
	f.Add([]byte(`{"user_id":"u","count":4,"filter":"kind == 'video'","rows":[{"name":"a","fixed":true},{"name":"b","item_ids":["space-1"]},{"name":"c","query":"a film"},{"name":"d","sources":["live"],"min_count":2,"filter":"'space' in tags"}]}`))
	f.Add([]byte(`{"anonymous_id":"a","context":{"locale":"zh"},"explain":"trace"}`))
	fuzzBodies(f, "/v1/pages", func(b []byte) []byte { return b })
}

func FuzzSearchBody(f *testing.F) {
	f.Add([]byte(`{"query":"a space film","count":3}`))
	fuzzBodies(f, "/v1/search", func(b []byte) []byte { return b })
}

func FuzzEventBody(f *testing.F) {
	f.Add([]byte(`[{"id":"e","kind":"rate","value":0.5,"item_id":"space-1","user_id":"u","at":"2026-01-02T03:04:05Z"}]`))
	f.Add([]byte(`{"id":"f","kind":"progress","item_id":"space-1","anonymous_id":"a","session_id":"s","at":"2026-01-02T03:04:05Z","watch":{"watched_ms":5000,"position_ms":9000,"duration_ms":10000},"token":"x","surface":"home","position":3,"context":{"k":"v"}}`))
	fuzzBodies(f, "/v1/events", func(b []byte) []byte { return b })
}

func FuzzFilter(f *testing.F) {
	for _, src := range []string{
		"kind in ['video','live'] and duration_ms < 900000", "any(topics, # in user.likes) or age_hours < 3", "'space' in tags", "title == user.name",
		"published_at < now()", "len(tags) > 2 and not all(tags, # == 'x')", "attributes.price >= 1.5", "context.device == 'tv'",
	} {
		f.Add([]byte(src))
	}
	fuzzBodies(f, "/v1/recommend", func(b []byte) []byte {
		body, _ := json.Marshal(map[string]any{"user_id": "u", "filter": string(b), "boosts": []any{map[string]any{"if": string(b), "multiply": 2}}}) // strings and numbers only
		return body
	})
}

func fuzzBodies(f *testing.F, path string, body func([]byte) []byte) {
	var handler http.Handler
	startWith(f, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		own := *c
		own.Metrics = prometheus.NewRegistry()
		handler = api.New(own)
	}).fill()
	for _, b := range hostile {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body(b)))
		req.Header.Set("Content-Type", "application/json")
		req.Host = "localhost"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d %s", path, b, w.Code, w.Body)
		}
	})
}
