package api_test

import (
	"strings"
	"testing"
	"time"

	"upnext/serve/api"
)

// row asks for metrics until one of that value has so many impressions.
func (s *server) row(query, value string, impressions float64) map[string]any {
	s.t.Helper()
	var rows []any
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		rows = s.json(200, "GET", "/v1/metrics?"+query, "")["rows"].([]any)
		for _, r := range rows {
			if row := r.(map[string]any); row["value"] == value && row["impressions"] == impressions {
				return row
			}
		}
		if impressions == 0 && len(rows) == 0 {
			return nil
		}
	}
	s.t.Fatalf("metrics %s: %v, want %s with %g impressions", query, rows, value, impressions)
	return nil
}

// TestMetrics tells of a page, and sees it in the metrics and go from them.
func TestMetrics(t *testing.T) {
	s := start(t)
	s.fill()
	page := s.json(200, "POST", "/v1/recommend", `{"user_id":"u1","count":10,"scenario":"front"}`)["items"].([]any)
	token := func(i int) string { return page[i].(map[string]any)["token"].(string) }
	for i := range page {
		s.json(202, "POST", "/v1/events", event("seen"+string(rune('0'+i)), "u1", "impression", `,"token":"`+token(i)+`"`))
	}
	s.json(202, "POST", "/v1/events", event("play", "u1", "play", `,"token":"`+token(0)+`"`))
	s.json(202, "POST", "/v1/events", event("done", "u1", "progress", `,"token":"`+token(0)+`","watch":{"watched_ms":12000,"duration_ms":60000}`))
	// No token, and one that is forged: kept, and attributed by what was shown.
	s.json(202, "POST", "/v1/events", event("bare", "u1", "play", `,"item_id":"`+page[1].(map[string]any)["id"].(string)+`"`))
	s.json(202, "POST", "/v1/events", event("forged", "u1", "purchase", `,"token":"AQ","item_id":"`+page[2].(map[string]any)["id"].(string)+`"`))

	row := s.row("by=scenario", "front", 10)
	for i := 0; (row["clicks"] != 2.0 || row["conversions"] != 1.0 || row["valid_views"] != 1.0) && i < 100; i++ {
		time.Sleep(50 * time.Millisecond)
		row = s.row("by=scenario", "front", 10)
	}
	ctr := row["ctr"].(map[string]any)
	if row["clicks"] != 2.0 || row["conversions"] != 1.0 || row["watch_ms"] != 12000.0 || row["valid_views"] != 1.0 || ctr["value"] != 0.2 {
		t.Errorf("row %v, want 2 clicks of 10, a conversion, 12 s and a valid view", row)
	}
	if low, high := ctr["low"].(float64), ctr["high"].(float64); low < 0.05 || low > 0.06 || high < 0.5 || high > 0.52 {
		t.Errorf("ctr %v, want Wilson's 0.057 to 0.510", ctr)
	}
	s.row("by=position&interval=hour", "01", 1)
	s.row("by=kind&interval=day", "video", 10)
	s.row("by=source&scenario=front", page[0].(map[string]any)["sources"].([]any)[0].(string), s.countOf(page, page[0].(map[string]any)["sources"].([]any)[0]))
	s.row("by=kind&scenario=other", "none", 0)
	s.row("from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z", "none", 0)

	s.json(204, "DELETE", "/v1/events/play", "")
	for i := 0; i < 5; i++ {
		s.json(204, "DELETE", "/v1/events/seen"+string(rune('9'-i)), "")
	}
	if row := s.row("", "front", 5); row["clicks"] != 2.0 {
		t.Errorf("row %v, want 2 clicks: the watching still says one", row)
	}
	s.json(200, "DELETE", "/v1/users/u1", "")
	s.row("", "none", 0)
}

func (s *server) countOf(page []any, source any) (n float64) {
	for _, it := range page {
		for _, o := range it.(map[string]any)["sources"].([]any) {
			if o == source {
				n++
			}
		}
	}
	return n
}

// TestMetricsRefuse: rubbish is the caller's fault, and a key of a web page
// sees nothing.
func TestMetricsRefuse(t *testing.T) {
	secret, public := api.Key{Secret: "secret-key-0123456789", Tenant: "default"}, api.Key{Secret: "public-key-0123456789", Tenant: "default", Publishable: true}
	s := start(t, secret, public)
	s.key = secret.Secret
	for _, query := range []string{
		"by=weather", "from=yesterday", "interval=week", "to=2020-01-01T00:00:00Z&from=2021-01-01T00:00:00Z", "from=0001-01-01T00:00:01Z",
		"scenario=" + strings.Repeat("x", 300), "scenario=%00", "scenario=%ff", "from=2020-01-01T00:00:00%2B99:00",
	} {
		if status, _, body := s.do("GET", "/v1/metrics?"+query, "", ""); status < 400 || status >= 500 || !strings.Contains(body, `"status":`) {
			t.Errorf("%s: %d %s, want a problem of the caller's", query, status, body)
		}
	}
	s.json(200, "GET", "/v1/metrics?from=1970-01-01T00:00:00Z&to=9999-12-31T23:00:00Z", "")
	s.key = public.Secret
	s.json(403, "GET", "/v1/metrics", "")
}
