package api_test

import (
	"fmt"
	"slices"
	"testing"

	"upnext"
	"upnext/serve/api"
)

// TestNext reads to the end of the catalogue, with a key that a page holds.
func TestNext(t *testing.T) {
	const secret, page = "secret-secret-secret", "page-page-page-page"
	s := start(t, api.Key{Secret: secret, Tenant: upnext.DefaultTenant}, api.Key{Secret: page, Tenant: upnext.DefaultTenant, Publishable: true})
	s.key = secret
	s.fill()
	traced := s.json(200, "POST", "/v1/recommend", `{"user_id":"u1","count":9,"explain":"trace","include":["title"]}`)
	s.key = page
	answer, met := traced, ids(traced)
	for answer["next_cursor"] != nil {
		if answer["expires_at"] == nil {
			t.Fatalf("%v: a cursor that does not say when it expires", answer["id"])
		}
		answer = s.json(200, "POST", "/v1/recommend/next", fmt.Sprintf(`{"cursor":%q}`, answer["next_cursor"]))
		met = append(met, ids(answer)...)
		for _, it := range answer["items"].([]any) {
			if it := it.(map[string]any); it["properties"].(map[string]any)["title"] == nil || it["features"] != nil || it["token"] == "" {
				t.Errorf("%v, want its title and token, and no trace for this key", it)
			}
		}
	}
	slices.Sort(met)
	if n := len(slices.Compact(met)); n != 36 || len(met) != 36 {
		t.Errorf("%d items of which %d differ, want all 36 once", len(met), n)
	}
	if short := s.json(200, "POST", "/v1/recommend/next", fmt.Sprintf(`{"cursor":%q,"count":5}`, traced["next_cursor"])); len(ids(short)) != 0 || short["shortfall"] != 5.0 {
		t.Errorf("after the end %v, want nothing and a shortfall of 5", short)
	}
	for body, want := range map[string]int{
		`{"cursor":"rubbish"}`: 422, `{}`: 422, `{"cursor":""}`: 422, `{"cursor":7}`: 422, `[]`: 422, `{`: 400,
		fmt.Sprintf(`{"cursor":%q,"count":201}`, traced["next_cursor"]): 422,
	} {
		s.json(want, "POST", "/v1/recommend/next", body)
	}
	if unkept := s.json(200, "POST", "/v1/recommend", `{"record":false,"count":3}`); unkept["next_cursor"] != nil {
		t.Error("an answer that is not recorded has a cursor")
	}
}
