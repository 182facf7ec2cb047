package api_test

import (
	"fmt"
	"testing"

	"upnext"
	"upnext/serve/api"
)

// TestWhyNot: the stage and the rule, for a page as it would be now and for what
// follows an answer that was given; with a secret key alone.
func TestWhyNot(t *testing.T) {
	const secret, page = "secret-secret-secret", "page-page-page-page"
	s := start(t, api.Key{Secret: secret, Tenant: upnext.DefaultTenant}, api.Key{Secret: page, Tenant: upnext.DefaultTenant, Publishable: true})
	s.key = secret
	s.fill()
	why := func(query string) map[string]any { return s.json(200, "GET", "/v1/why-not?"+query, "") }
	if got := why("user_id=u1&item_id=nothing"); got["stage"] != "guard" || got["rule"] != "gone" || got["candidate"] != nil {
		t.Errorf("no such item: %v", got)
	}
	if got := why("anonymous_id=a&item_id=space-1&filter='chess'+in+tags"); got["rule"] != "filtered" {
		t.Errorf("filtered: %v", got)
	}
	given := s.json(200, "POST", "/v1/recommend", `{"user_id":"u1","count":3}`)
	first := ids(given)[0]
	got := why(fmt.Sprintf("user_id=u1&count=3&item_id=%s", first))
	if got["stage"] != "page" || got["rank"] != 1.0 || got["candidate"].(map[string]any)["features"] == nil {
		t.Errorf("on the page: %v", got)
	}
	if got := why(fmt.Sprintf("recommendation_id=%s&item_id=%s", given["id"], first)); got["stage"] != "guard" || got["rule"] != "returned" {
		t.Errorf("returned before: %v", got)
	}
	s.json(422, "GET", "/v1/why-not?user_id=u1", "")
	s.json(422, "GET", "/v1/why-not?user_id=u1&anonymous_id=a&item_id=x", "")
	s.json(422, "GET", "/v1/why-not?item_id=x&filter=durtion", "")
	s.json(404, "GET", "/v1/why-not?recommendation_id=rec_x&item_id=x", "")
	s.key = page
	s.json(403, "GET", "/v1/why-not?item_id=x", "")
}
