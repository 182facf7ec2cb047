package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func anonymousEvent(id, who, kind, rest string) string {
	return strings.Replace(event(id, who, kind, rest), `"user_id"`, `"anonymous_id"`, 1)
}

func texts(list any) []string {
	var out []string
	for _, v := range list.([]any) {
		out = append(out, v.(string))
	}
	return out
}

// TestMerge: what an anonymous viewer did, follows, does not want and was shown
// is the user's, and so is what they do from then on.
func TestMerge(t *testing.T) {
	s := start(t)
	s.fill()
	send := func(events ...string) map[string]any {
		t.Helper()
		return s.json(202, "POST", "/v1/events", "["+strings.Join(events, ",")+"]")
	}
	send(anonymousEvent("g1", "guest", "like", `,"item_id":"space-1"`), anonymousEvent("g2", "guest", "like", `,"item_id":"space-2"`),
		anonymousEvent("g3", "guest", "follow", `,"creator_id":"c9"`),
		anonymousEvent("g4", "guest", "mute", `,"scope":"topic","topic":"cooking"`), anonymousEvent("both", "guest", "like", `,"item_id":"space-3"`),
		event("u1", "ann", "like", `,"item_id":"music-1"`), event("both", "ann", "like", `,"item_id":"space-3"`))
	s.json(200, "PUT", "/v1/users/guest?anonymous=true", `{"locale":"zh","follows":["c9"]}`)
	cursor := s.json(200, "POST", "/v1/recommend", `{"anonymous_id":"guest","count":5}`)

	got := s.json(200, "POST", "/v1/users/ann/merge", `{"anonymous_id":"guest"}`)
	if got["events"] != 4.0 || got["duplicates"] != 1.0 || got["properties"] != true || got["user_id"] != "ann" || got["anonymous_id"] != "guest" || got["merged_at"] == "" {
		t.Errorf("merged: %v, want 4 events, a duplicate and the locale", got)
	}
	profile := s.json(200, "GET", "/v1/users/ann/profile", "")
	if profile["events"] != 6.0 || profile["seen"] != 4.0 || !slices.Equal(texts(profile["follows"]), []string{"c9"}) || len(profile["muted"].([]any)) != 1 {
		t.Errorf("profile: %v, want the events, follows and mutes of both", profile)
	}
	if user := s.json(200, "GET", "/v1/users/ann", ""); user["locale"] != "zh" {
		t.Errorf("user: %v, want the locale of the guest", user)
	}
	for _, who := range []string{`"user_id":"ann"`, `"anonymous_id":"guest"`} {
		page := ids(s.json(200, "POST", "/v1/recommend", fmt.Sprintf(`{%s,"count":36}`, who)))
		if len(page) == 0 || !strings.HasPrefix(page[0], "space") && !strings.HasPrefix(page[0], "music") {
			t.Errorf("%s: page %v, want what they both like first", who, page)
		}
		for _, id := range page {
			if strings.HasPrefix(id, "cooking") || id == "space-1" || id == "music-1" {
				t.Errorf("%s: %s is on the page; it was muted or seen by one of the two", who, id)
			}
		}
	}
	next := s.json(200, "POST", "/v1/recommend/next", fmt.Sprintf(`{"cursor":%q}`, cursor["next_cursor"]))
	for _, id := range ids(next) {
		if slices.Contains(ids(cursor), id) || id == "music-1" {
			t.Errorf("next of before: %s comes again, or was seen by the user", id)
		}
	}

	if again := s.json(200, "POST", "/v1/users/ann/merge", `{"anonymous_id":"guest"}`); again["events"] != 0.0 || again["merged_at"] != got["merged_at"] {
		t.Errorf("again: %v, want nothing more, and the same time", again)
	}
	later := send(anonymousEvent("g5", "guest", "like", `,"item_id":"music-2"`), anonymousEvent("g1", "guest", "like", `,"item_id":"space-1"`))
	if later["accepted"] != 1.0 || later["duplicates"] != 1.0 {
		t.Errorf("later: %v, want one new and one known", later)
	}
	if profile := s.json(200, "GET", "/v1/users/ann/profile", ""); profile["events"] != 7.0 {
		t.Errorf("events %v, want the later one, too", profile["events"])
	}
	if status, _, body := s.do("DELETE", "/v1/events/g5?anonymous_id=guest", "", ""); status != 204 {
		t.Errorf("take back: %d %s, want 204", status, body)
	}
	for _, c := range [][2]string{{"GET", ""}, {"PUT", `{}`}, {"PATCH", `{}`}, {"DELETE", ""}} {
		if body := s.json(409, c[0], "/v1/users/guest?anonymous=true", c[1]); !strings.Contains(fmt.Sprint(body), "merged into the user ann") {
			t.Errorf("%s of the guest: %v, want who they are", c[0], body)
		}
	}
}

// TestMergeRefusals: bad input is told where it is wrong, and changes nothing.
func TestMergeRefusals(t *testing.T) {
	s := start(t)
	s.json(200, "POST", "/v1/users/ann/merge", `{"anonymous_id":"taken"}`)
	for _, c := range []struct {
		path, body string
		status     int
		pointer    string
	}{
		{"/v1/users/ann/merge", `{}`, 422, ""},
		{"/v1/users/ann/merge", `{"anonymous_id":""}`, 422, "/anonymous_id"},
		{"/v1/users/ann/merge", `{"anonymous_id":7}`, 422, "/anonymous_id"},
		{"/v1/users/ann/merge", `{"anonymous_id":"a\u0007"}`, 422, "/anonymous_id"},
		{"/v1/users/ann/merge", `{"anonymous_id":"` + strings.Repeat("x", 257) + `"}`, 422, "/anonymous_id"},
		{"/v1/users/ann/merge", `{"anonymous_id":"a","user_id":"b"}`, 422, "/user_id"},
		{"/v1/users/%00/merge", `{"anonymous_id":"a"}`, 422, "path.id"},
		{"/v1/users/bob/merge", `{"anonymous_id":"taken"}`, 409, "/anonymous_id"},
	} {
		body := s.json(c.status, "POST", c.path, c.body)
		errors, _ := body["errors"].([]any)
		if len(errors) == 0 || errors[0].(map[string]any)["pointer"] != c.pointer {
			t.Errorf("%s %.60s: %v, want a problem at %q", c.path, c.body, body, c.pointer)
		}
	}
	if status, _, _ := s.do("GET", "/v1/users/a?anonymous=true", "", ""); status != 404 {
		t.Errorf("a refused one: %d, want 404: nobody knows them", status)
	}
}

// TestMergeErased: with the user goes what was the guest's, and who they were;
// then the guest is a stranger.
func TestMergeErased(t *testing.T) {
	s := start(t)
	s.fill()
	s.json(202, "POST", "/v1/events", anonymousEvent("g1", "guest", "like", `,"item_id":"space-1"`))
	s.json(200, "POST", "/v1/recommend", `{"anonymous_id":"guest"}`)
	s.json(200, "POST", "/v1/users/ann/merge", `{"anonymous_id":"guest"}`)
	receipt := s.json(200, "DELETE", "/v1/users/ann", "")
	if receipt["events"] != 1.0 || receipt["recommendations"] != 1.0 {
		t.Errorf("receipt: %v, want the guest's event and answer", receipt)
	}
	if profile := s.json(200, "GET", "/v1/users/guest/profile?anonymous=true", ""); profile["known"] != false {
		t.Errorf("the guest afterwards: %v, want nobody knows them", profile)
	}
	s.json(202, "POST", "/v1/events", anonymousEvent("g1", "guest", "like", `,"item_id":"space-1"`))
	if profile := s.json(200, "GET", "/v1/users/ann/profile", ""); profile["known"] != false {
		t.Errorf("the user afterwards: %v, want nobody knows them", profile)
	}
}
