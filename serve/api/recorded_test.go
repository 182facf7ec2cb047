package api_test

import (
	"fmt"
	"slices"
	"testing"

	"upnext"
	"upnext/serve/api"
)

// TestRecordedAnswer: an answer can be read by its id, with a secret key of its
// tenant, as it was given.
func TestRecordedAnswer(t *testing.T) {
	const secret, page, foreign = "secret-secret-secret", "page-page-page-page", "foreign-foreign-foreign"
	s := start(t, api.Key{Secret: secret, Tenant: upnext.DefaultTenant}, api.Key{Secret: page, Tenant: upnext.DefaultTenant, Publishable: true}, api.Key{Secret: foreign, Tenant: "other"})
	s.key = secret
	s.fill()
	given := s.json(200, "POST", "/v1/recommend", `{"user_id":"u1","count":5,"explain":"trace","filter":"'space' in tags","exclude":{"item_ids":["space-1"],"seen_within":"30d"}}`)
	path := fmt.Sprintf("/v1/recommendations/%s", given["id"])
	read := s.json(200, "GET", path, "")
	if !slices.Equal(ids(read), ids(given)) || read["user_id"] != "u1" || read["at"] == nil {
		t.Errorf("read %v, want what was given", read)
	}
	request := read["request"].(map[string]any)
	if request["filter"] != "'space' in tags" || request["exclude"].(map[string]any)["seen_within"] != "720h0m0s" || request["count"] != 5.0 {
		t.Errorf("request %v, want as asked", request)
	}
	for _, answer := range []map[string]any{given, read} {
		trace := answer["trace"].(map[string]any)
		fresh := map[string]any{}
		for _, src := range trace["sources"].([]any) {
			if src := src.(map[string]any); src["source"] == "fresh" {
				fresh = src
			}
		}
		if len(fresh["item_ids"].([]any)) != 11 || fresh["found"] != 11.0 || fresh["turned_away"].(map[string]any)["filtered"] != 24.0 || fresh["turned_away"].(map[string]any)["excluded"] != 1.0 {
			t.Errorf("fresh: %v, want eleven of space, and why the others are not there", fresh)
		}
		first := trace["candidates"].([]any)[0].(map[string]any)
		if first["origins"] == nil || first["ranks"] == nil || first["features"] == nil || first["rank"] != 1.0 {
			t.Errorf("the best candidate: %v", first)
		}
	}
	plain := s.json(200, "POST", "/v1/recommend", `{"user_id":"u1","count":5}`)
	if kept := s.json(200, "GET", fmt.Sprintf("/v1/recommendations/%s", plain["id"]), ""); kept["trace"] != nil || !slices.Equal(ids(kept), ids(plain)) {
		t.Errorf("untraced: %v", kept)
	}
	s.json(404, "GET", "/v1/recommendations/rec_unknown", "")
	s.key = page
	s.json(403, "GET", path, "")
	s.key = foreign
	s.json(404, "GET", path, "")
}
