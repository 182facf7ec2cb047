package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"upnext/serve/api"
)

// TestRubbish sends what nobody should: each is a clear problem at its place.
func TestRubbish(t *testing.T) {
	s := start(t)
	s.fill()
	for name, c := range map[string]struct {
		method, path, kind, body string
		status                   int
		says                     string
	}{
		"no JSON":            {"POST", "/v1/recommend", "application/json", `{"count":`, 400, ""},
		"count too high":     {"POST", "/v1/recommend", "application/json", `{"count":100000}`, 422, "/count"},
		"count is a word":    {"POST", "/v1/recommend", "application/json", `{"count":"many"}`, 422, "/count"},
		"two viewers":        {"POST", "/v1/recommend", "application/json", `{"user_id":"a","anonymous_id":"b"}`, 422, "user_id"},
		"bad filter":         {"POST", "/v1/recommend", "application/json", `{"filter":"durtion_ms < 5"}`, 422, "column"},
		"unknown include":    {"POST", "/v1/recommend", "application/json", `{"include":["secret"]}`, 422, "secret"},
		"control character":  {"POST", "/v1/recommend", "application/json", `{"user_id":"a\u0000b"}`, 422, "control"},
		"bad span":           {"POST", "/v1/recommend", "application/json", `{"exclude":{"seen_within":"soon"}}`, 422, "seen_within"},
		"empty search":       {"POST", "/v1/search", "application/json", `{"query":"  "}`, 422, "query"},
		"item without title": {"PUT", "/v1/items/x", "application/json", `{"id":"x","kind":"video"}`, 422, "title"},
		"item of no kind":    {"PUT", "/v1/items/x", "application/json", `{"id":"x","kind":"banana","title":"t"}`, 422, "banana"},
		"unknown field":      {"PUT", "/v1/items/x", "application/json", `{"id":"x","kind":"video","title":"t","titel":"u"}`, 422, "titel"},
		"other id in path":   {"PUT", "/v1/items/x", "application/json", `{"id":"y","kind":"video","title":"t"}`, 422, "path"},
		"id of 100 kB":       {"POST", "/v1/items", "application/json", `{"id":"` + strings.Repeat("x", 100_000) + `","kind":"video","title":"t"}`, 422, "256"},
		"patch nothing":      {"PATCH", "/v1/items/none", "application/merge-patch+json", `{}`, 404, "none"},
		"event without item": {"POST", "/v1/events", "application/json", event("e", "u", "like", ""), 422, "item_id"},
		"event of the past":  {"POST", "/v1/events", "application/json", `{"id":"e","kind":"like","item_id":"a","user_id":"u","at":"2999-01-01T00:00:00Z"}`, 422, "future"},
		"event, odd field":   {"POST", "/v1/events", "application/json", event("e", "u", "like", `,"itemid":"x"`), 422, "itemid"},
		"rate of nothing":    {"POST", "/v1/events", "application/json", event("e", "u", "rate", `,"item_id":"a"`), 422, "value"},
		"event of odd type":  {"POST", "/v1/events", "application/json", event("e", "u", "like", `,"item_id":"a","position":"1"`), 422, "position: string"},
		"half a dry run":     {"POST", "/v1/items?dry_run=maybe", "application/json", `[]`, 422, "dry_run"},
		"empty body":         {"POST", "/v1/events", "application/json", ``, 422, "empty"},
		"broken array":       {"POST", "/v1/events", "application/json", `[{"id":`, 422, "byte"},
		"no such route":      {"GET", "/v1/nothing", "application/json", ``, 404, "route"},
		"wrong method":       {"DELETE", "/v1/recommend", "application/json", ``, 405, "DELETE"},
		"bad cursor":         {"GET", "/v1/items?cursor=!!!", "application/json", ``, 422, "cursor"},
		"no such import":     {"GET", "/v1/imports/imp_x", "application/json", ``, 404, "imp_x"},
		"picture elsewhere":  {"GET", "/media/default/items/../secret", "application/json", ``, 404, ""},
		"unknown schema":     {"GET", "/v1/schema/cats", "application/json", ``, 422, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, body := s.do(c.method, c.path, c.kind, c.body)
			if status != c.status || !strings.Contains(body, c.says) {
				t.Fatalf("%d %.600s, want %d and %q", status, body, c.status, c.says)
			}
			if strings.Contains(body, `"rejected"`) {
				return // counts with a problem inside
			}
			var p api.Problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != status || p.Code == "" || p.Title == "" {
				t.Errorf("problem %s (%v), want status, title and code", body, err)
			}
			if got := header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q, want application/problem+json", got)
			}
			if header.Get("X-Request-Id") == "" {
				t.Error("no request id")
			}
		})
	}
}

func TestBrokenLineSeven(t *testing.T) {
	s := start(t)
	var lines []string
	for i := range 10 {
		lines = append(lines, item(string(rune('a'+i)), "space"))
	}
	lines[6] = `{"id":"g","kind":"vid`
	status, header, body := s.do("POST", "/v1/items", "application/x-ndjson", strings.Join(lines, "\n"))
	if status != 200 || header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%d %s", status, header.Get("Content-Type"))
	}
	for i, line := range strings.Split(strings.TrimSpace(body), "\n") {
		var r struct {
			Line    int
			ID      string
			Status  string
			Problem *api.Problem
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if broken := i == 6; r.Line != i+1 || broken != (r.Problem != nil) || broken != (r.Status == "") {
			t.Errorf("result %d: %s, want line %d, a problem for line 7 alone", i, line, i+1)
		}
	}
	s.json(200, "GET", "/v1/items/h", "")
	s.json(404, "GET", "/v1/items/g", "")
}

func TestKeys(t *testing.T) {
	const secret, page = "secret-secret-secret", "page-page-page-page"
	s := start(t, api.Key{Secret: secret, Tenant: "default"}, api.Key{Secret: page, Tenant: "default", Publishable: true}, api.Key{Secret: "other-other-other-other", Tenant: "other"})
	ask := func(key, method, path, body string) int {
		s.key = key
		status, _, _ := s.do(method, path, "application/json", body)
		return status
	}
	if got := ask("", "POST", "/v1/recommend", `{}`); got != 401 {
		t.Errorf("no key: %d, want 401", got)
	}
	if got := ask("wrong-wrong-wrong-wrong", "POST", "/v1/recommend", `{}`); got != 401 {
		t.Errorf("unknown key: %d, want 401", got)
	}
	if got := ask(secret, "PUT", "/v1/items/x", item("x", "space")); got != 200 {
		t.Errorf("secret key puts: %d, want 200", got)
	}
	if got := ask(page, "POST", "/v1/recommend", `{}`); got != 200 {
		t.Errorf("publishable key asks: %d, want 200", got)
	}
	for _, c := range [][3]string{{"PUT", "/v1/items/x", item("x", "space")}, {"GET", "/v1/users/u/profile", ""}, {"POST", "/v1/recommend", `{"explain":"trace"}`}} {
		if got := ask(page, c[0], c[1], c[2]); got != 403 {
			t.Errorf("publishable key, %s %s: %d, want 403", c[0], c[1], got)
		}
	}
	if got := ask("other-other-other-other", "GET", "/v1/items/x", ""); got != 404 {
		t.Errorf("another tenant's item: %d, want 404", got)
	}
	if got := ask("", "GET", "/healthz", ""); got != 200 {
		t.Errorf("health without a key: %d, want 200", got)
	}
}

func TestOrigins(t *testing.T) {
	send := func(s *server, method, origin, site string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+"/v1/recommend", strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", origin)
		if site != "" {
			req.Header.Set("Sec-Fetch-Site", site)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	open := start(t)
	if got := send(open, "POST", "https://evil.example", "cross-site").StatusCode; got != 403 {
		t.Errorf("a stranger's page on a server without keys: %d, want 403", got)
	}
	keyed := start(t, api.Key{Secret: "secret-secret-secret", Tenant: "default"})
	if got := send(keyed, "OPTIONS", "https://shop.example", "").Header.Get("Access-Control-Allow-Origin"); got != "https://shop.example" {
		t.Errorf("preflight of an allowed origin: %q, want it back", got)
	}
	if got := send(keyed, "OPTIONS", "https://evil.example", "").Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("preflight of another origin: %q, want nothing", got)
	}
}

// TestOpenAPI compares the description with the committed one, so that a
// change of contract shows in review. UPNEXT_UPDATE=1 writes it.
func TestOpenAPI(t *testing.T) {
	s := start(t)
	status, _, got := s.do("GET", "/openapi.yaml", "application/json", "")
	if status != 200 {
		t.Fatalf("%d %s", status, got)
	}
	const file = "openapi.yaml"
	if os.Getenv("UPNEXT_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the API's description differs from %s: look at the change, then run: task openapi", file)
	}
}

// TestPlus: a + of a path is a +, however the rest of the id is escaped.
func TestPlus(t *testing.T) {
	s := start(t)
	s.json(200, "PUT", "/v1/items/a%2Fc+d", `{"id":"a/c+d","kind":"video","title":"plus"}`)
	s.json(200, "GET", "/v1/items/a%2Fc%2Bd", "")
}

// TestOtherHost: without keys a name of somebody else's DNS is another site.
func TestOtherHost(t *testing.T) {
	s := start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/items", nil)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"evil.example": 403, "evil.example:8080": 403, "localhost:8080": 200, "[::1]:8080": 200, "127.0.0.1": 200} {
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("Host %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
}

// TestExport: secret keys alone export, each its own tenant's, and go on where
// a former export ended.
func TestExport(t *testing.T) {
	s := start(t, api.Key{Secret: "secret-of-the-shop", Tenant: "default"}, api.Key{Secret: "publishable-of-it", Tenant: "default", Publishable: true})
	s.key = "publishable-of-it"
	if status, _, _ := s.do("GET", "/v1/export/events", "", ""); status != 403 {
		t.Errorf("with a publishable key: %d, want 403", status)
	}
	s.key = "secret-of-the-shop"
	lines := `{"id":"e1","kind":"view","at":"2020-01-02T03:04:05Z","user_id":"u","item_id":"a"}` + "\n" +
		`{"id":"e2","kind":"rate","at":"2021-01-02T03:04:05Z","anonymous_id":"u","item_id":"a","value":0}` + "\n"
	if status, _, body := s.do("POST", "/v1/events", "application/x-ndjson", lines); status != 202 {
		t.Fatal(status, body)
	}
	status, header, body := s.do("GET", "/v1/export/events", "", "")
	if status != 200 || body != lines || header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("export: %d %v %q, want %q", status, header, body, lines)
	}
	if _, _, body := s.do("GET", "/v1/export/events?after=1", "", ""); body != lines[strings.Index(lines, "\n")+1:] {
		t.Errorf("export after 1: %q, want the second event", body)
	}
	if status, header, body := s.do("GET", "/v1/export/events?after=2", "", ""); status != 200 || body != "" || header.Get("Upnext-Next-After") != "2" {
		t.Errorf("export after 2: %d %v %q, want nothing, and 2 again", status, header, body)
	}
	if status, _, _ := s.do("GET", "/v1/export/events?after=-1", "", ""); status != 422 && status != 400 {
		t.Errorf("export after -1: %d, want a refusal", status)
	}
	if status, _, _ := s.do("GET", "/v1/export/people", "", ""); status != 404 {
		t.Errorf("export of what there is not: %d, want 404", status)
	}
}
