package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"upnext/serve/api"
)

// TestPointers sends bodies that are wrong at one place: the problem points there.
func TestPointers(t *testing.T) {
	s := start(t)
	s.fill()
	s.json(200, "PUT", "/v1/schema/items", `{"attributes":[{"name":"year","type":"number"}]}`)
	s.json(200, "PUT", "/v1/schema/users", `{"attributes":[{"name":"born","type":"time"}]}`)
	like := func(rest string) string { return event("e", "u", "like", rest) }
	for _, c := range []struct{ method, path, body, pointer string }{
		{"POST", "/v1/recommend", `{"count":0}`, "/count"},
		{"POST", "/v1/recommend", `{"colour":1}`, "/colour"},
		{"POST", "/v1/recommend", `{"boosts":[{"if":"kind ==","multiply":1}]}`, "/boosts/0/if"},
		{"POST", "/v1/recommend", `{"boosts":[{"if":"kind == 'live'","multiply":1},{"if":"kind ==","multiply":1}]}`, "/boosts/1/if"},
		{"POST", "/v1/recommend", `{"boosts":[{"if":"kind == 'live'","multiply":-1}]}`, "/boosts/0/multiply"},
		{"POST", "/v1/recommend", `{"filter":"durtion_ms < 5"}`, "/filter"},
		{"POST", "/v1/recommend", `{"filter":"title == 'a\u0000b'"}`, "/filter"},
		{"POST", "/v1/recommend", `{"user_id":"a","anonymous_id":"b"}`, "/anonymous_id"},
		{"POST", "/v1/recommend", `{"user_id":"` + strings.Repeat("x", 257) + `"}`, "/user_id"},
		{"POST", "/v1/recommend", `{"session_id":"a\u0000"}`, "/session_id"},
		{"POST", "/v1/recommend", `{"context":{"values":{"a":["\u0000"]}}}`, "/context/values"},
		{"POST", "/v1/recommend", `{"exclude":{"seen_within":"soon"}}`, "/exclude/seen_within"},
		{"POST", "/v1/recommend", `{"exclude":{"seen":"never"}}`, "/exclude/seen"},
		{"POST", "/v1/recommend", `{"include":["title","secret"]}`, "/include/1"},
		{"POST", "/v1/search", `{"query":" "}`, "/query"},
		{"POST", "/v1/similar", `{"item_ids":[]}`, "/item_ids"},
		{"GET", "/v1/items?filter=nothing", ``, "query.filter"},
		{"GET", "/v1/items?cursor=!!!", ``, "query.cursor"},
		{"GET", "/v1/items?limit=0", ``, "query.limit"},
		{"GET", "/v1/export/events?after=x", ``, "query.after"},
		{"GET", "/v1/users/%00", ``, "path.id"},
		{"PUT", "/v1/items/x", `{"kind":"video"}`, "/title"},
		{"PUT", "/v1/items/x", `{"kind":"banana","title":"t"}`, "/kind"},
		{"PUT", "/v1/items/x", `{"id":"y","kind":"video","title":"t"}`, "/id"},
		{"PUT", "/v1/items/x", `{"kind":"video","title":"t","tags":["a",7]}`, "/tags/1"},
		{"PUT", "/v1/items/x", `{"kind":"video","title":"t","duration_ms":-1}`, "/duration_ms"},
		{"PUT", "/v1/items/x", `{"kind":"video","title":"t","published_at":"soon"}`, "/published_at"},
		{"PUT", "/v1/items/x", `{"kind":"video","title":"t","attributes":{"a/b~c":1}}`, "/attributes/a~1b~0c"},
		{"PUT", "/v1/items/x", `{"kind":"video","title":"t","attributes":{"year":"x"}}`, "/attributes/year"},
		{"PUT", "/v1/items/x", `{"kind":"video","title":"t","titel":"u"}`, "/titel"},
		{"PATCH", "/v1/items/space-1", `{"min_age":-1}`, "/min_age"},
		{"PATCH", "/v1/items/space-1/understanding", `{"topics":["ok",""]}`, "/topics/1"},
		{"PUT", "/v1/users/u", `{"attributes":{"born":"long ago"}}`, "/attributes/born"},
		{"PUT", "/v1/users/u", `{"follows":["c","` + strings.Repeat("x", 257) + `"]}`, "/follows/1"},
		{"PATCH", "/v1/users/u", `{"birthyear":2000}`, "/birthyear"},
		{"PUT", "/v1/schema/items", `{"attributes":[{"name":"a","type":"string"},{"name":"a","type":"string"}]}`, "/attributes/1/name"},
		{"PUT", "/v1/schema/items", `{"attributes":[{"name":"year","type":"string"}]}`, "/attributes/0/type"},
		{"POST", "/v1/items", `[` + item("a", "x") + `,{"id":"b","kind":"video"}]`, "/1/title"},
		{"POST", "/v1/items?on_error=maybe", `[]`, "query.on_error"},
		{"POST", "/v1/events", like(``), "/item_id"},
		{"POST", "/v1/events", like(`,"item_id":"a","position":"1"`), "/position"},
		{"POST", "/v1/events", like(`,"itemid":"a"`), "/itemid"},
		{"POST", "/v1/events", `{"id":"e","kind":"like","at":"soon","user_id":"u","item_id":"a"}`, "/at"},
		{"POST", "/v1/events", `{"id":"e","kind":"like","at":7,"user_id":"u","item_id":"a"}`, "/at"},
		{"POST", "/v1/events", `{"id":"e","kind":"like","at":"2026-01-02T03:04:05Z","item_id":"a"}`, "/user_id"},
		{"POST", "/v1/events", event("e", "u", "progress", `,"item_id":"a","watch":{"watched_ms":"1"}`), "/watch/watched_ms"},
		{"POST", "/v1/events", `[` + like(`,"item_id":"a"`) + `,` + event("f", "u", "rate", `,"item_id":"a"`) + `]`, "/1/value"},
	} {
		t.Run(c.method+c.path+c.pointer, func(t *testing.T) {
			kind := "application/json"
			if c.method == "PATCH" {
				kind = "application/merge-patch+json"
			}
			_, _, body := s.do(c.method, c.path, kind, c.body)
			var answer struct {
				api.Problem
				Rejected, Results []struct{ Problem *api.Problem }
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			p := answer.Problem
			for _, r := range append(answer.Rejected, answer.Results...) {
				if r.Problem != nil {
					p = *r.Problem
				}
			}
			if len(p.Errors) == 0 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Code == "" || p.Errors[0].Detail == "" {
				t.Errorf("%s: %.500s, want a problem at %s", c.body, body, c.pointer)
			}
		})
	}
}

// TestPointersInLines: in NDJSON a pointer goes into the line.
func TestPointersInLines(t *testing.T) {
	s := start(t)
	_, _, body := s.do("POST", "/v1/items", "application/x-ndjson", item("a", "x")+"\n"+`{"id":"b","kind":"video","title":"t","tags":[1]}`+"\n"+`{"id":"c","kind":"video"}`)
	for _, want := range []string{`"pointer":"/tags/0"`, `"pointer":"/title"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s, want %s", body, want)
		}
	}
}
