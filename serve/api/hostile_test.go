package api_test

import (
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
			"POST /v1/recommend", "POST /v1/similar", "POST /v1/search", "POST /v1/events", "PUT /v1/users/u", "PATCH /v1/users/u",
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

// FuzzBodies sends anything to the routes that publishable keys may call: never
// a 500, never a panic, and the server goes on.
func FuzzBodies(f *testing.F) {
	var handler http.Handler
	startWith(f, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		own := *c
		own.Metrics = prometheus.NewRegistry()
		handler = api.New(own)
	}).fill()
	routes := []string{"/v1/recommend", "/v1/similar", "/v1/search", "/v1/events"}
	for _, body := range hostile {
		for i := range routes {
			f.Add(uint8(i), []byte(body))
		}
	}
	f.Add(uint8(0), []byte(`{"user_id":"u","filter":"kind in ['video'] and not ('horror' in topics)","boosts":[{"if":"kind == 'live'","multiply":1.3}],"diversity":0.4,"exclude":{"seen_within":"30d"},"deadline_ms":80,"explain":"trace"}`))
	f.Add(uint8(1), []byte(`{"item_ids":["space-1"],"negative_item_ids":["space-2"],"strategy":"best_score"}`))
	f.Add(uint8(2), []byte(`{"query":"a space film","count":3}`))
	f.Add(uint8(3), []byte(`[{"id":"e","kind":"rate","value":0.5,"item_id":"space-1","user_id":"u","at":"2026-01-02T03:04:05Z"}]`))
	f.Fuzz(func(t *testing.T, route uint8, body []byte) {
		req := httptest.NewRequest(http.MethodPost, routes[int(route)%len(routes)], strings.NewReader(string(body)))
		req.Header.Set("Content-Type", "application/json")
		req.Host = "localhost"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d %s", req.URL.Path, body, w.Code, w.Body)
		}
	})
}
