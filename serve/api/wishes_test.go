package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// wishes are the values of a profile's list, sorted.
func wishes(profile map[string]any, list string) []string {
	out := []string{}
	for _, w := range profile[list].([]any) {
		w := w.(map[string]any)
		out = append(out, fmt.Sprint(w["scope"], " ", w["value"]))
	}
	slices.Sort(out)
	return out
}

// TestPatchProfile: lists become what they are said to be, and the next answer
// knows.
func TestPatchProfile(t *testing.T) {
	s := start(t)
	s.fill()
	s.json(202, "POST", "/v1/events", event("e1", "ann", "block", `,"scope":"topic","topic":"music"`))
	patch := func(body string, muted, pinned []string) {
		t.Helper()
		for _, profile := range []map[string]any{s.json(200, "PATCH", "/v1/users/ann/profile", body), s.json(200, "GET", "/v1/users/ann/profile", "")} {
			if got := wishes(profile, "muted"); !slices.Equal(got, muted) {
				t.Errorf("%s: muted %v, want %v", body, got, muted)
			}
			if got := wishes(profile, "pinned"); !slices.Equal(got, pinned) {
				t.Errorf("%s: pinned %v, want %v", body, got, pinned)
			}
		}
	}
	page := func() (topics map[string]int, first string) {
		topics = map[string]int{}
		all := ids(s.json(200, "POST", "/v1/recommend", `{"user_id":"ann","count":36}`))
		for _, id := range all {
			topic, _, _ := strings.Cut(id, "-")
			topics[topic]++
		}
		return topics, all[0]
	}
	patch(`{}`, []string{"topic music"}, []string{})
	patch(`{"muted":[{"scope":"topic","value":"Music"},{"scope":"item","value":"space-1"}]}`, []string{"item space-1", "topic music"}, []string{})
	if topics, _ := page(); topics["music"] != 0 || topics["space"] != 11 || topics["cooking"] != 12 {
		t.Errorf("page of %v, want no music and one of space less", topics)
	}
	patch(`{"pinned":[{"scope":"topic","value":"space"},{"scope":"topic","value":"space"}]}`, []string{"item space-1", "topic music"}, []string{"topic space"})
	if _, first := page(); !strings.HasPrefix(first, "space") {
		t.Errorf("%s comes first, want something of space", first)
	}
	patch(`{"muted":[]}`, []string{}, []string{"topic space"})
	if topics, _ := page(); topics["music"] != 12 || topics["space"] != 12 {
		t.Errorf("page of %v, want all again", topics)
	}
	patch(`{"muted":[{"scope":"topic","value":"space","kind":"block"}],"pinned":[{"scope":"item","value":"cooking-3"}]}`, []string{"topic space"}, []string{"item cooking-3"})
	if topics, first := page(); topics["space"] != 0 || topics["cooking"] != 12 || !strings.HasPrefix(first, "cooking") {
		t.Errorf("page of %v, %s first; want no space, cooking first, the pinned item among it", topics, first)
	}
	profile := s.json(200, "GET", "/v1/users/ann/profile", "")
	if kind := profile["muted"].([]any)[0].(map[string]any)["kind"]; kind != "block" {
		t.Errorf("kind %v, want block", kind)
	}
	before := profile["events"]
	patch(`{"muted":[{"scope":"topic","value":"space"}],"pinned":[{"scope":"item","value":"cooking-3"}]}`, []string{"topic space"}, []string{"item cooking-3"})
	if after := s.json(200, "GET", "/v1/users/ann/profile", "")["events"]; after != before {
		t.Errorf("saying the same again makes %v events of %v", after, before)
	}

	for body, pointer := range map[string]string{
		`{"muted":[{"scope":"planet","value":"x"}]}`:                                                                    "/muted/0/scope",
		`{"muted":[{"scope":"item","value":""}]}`:                                                                       "/muted/0/value",
		`{"muted":[{"scope":"item","value":"a\u0007"}]}`:                                                                "/muted/0/value",
		`{"muted":[{"scope":"item"}]}`:                                                                                  "/muted/0",
		`{"pinned":[{"scope":"topic","value":"` + strings.Repeat("ж", 200) + `"}]}`:                                     "/pinned/0/value",
		`{"muted":[{"scope":"item","value":"a"}],"pinned":[{"scope":"item","value":"b"},{"scope":"item","value":"a"}]}`: "/pinned/1",
		`{"interests":[]}`: "/interests",
	} {
		answer := s.json(422, "PATCH", "/v1/users/ann/profile", body)
		if got := answer["errors"].([]any)[0].(map[string]any)["pointer"]; got != pointer {
			t.Errorf("%.80s: a problem at %v, want %s", body, got, pointer)
		}
	}
	patch(`{}`, []string{"topic space"}, []string{"item cooking-3"})
}
