package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
)

// lines reads an export, by type.
func (s *server) held(path string) map[string][]map[string]any {
	s.t.Helper()
	status, h, body := s.do("GET", path, "", "")
	if status != 200 || h.Get("Content-Type") != "application/x-ndjson" {
		s.t.Fatalf("%s: %d %v %s", path, status, h, body)
	}
	lines, all := map[string][]map[string]any{}, strings.Split(strings.TrimSpace(body), "\n")
	for i, text := range all {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			s.t.Fatalf("line %d: %v in %s", i+1, err, text)
		}
		kind := line["type"].(string)
		lines[kind] = append(lines[kind], line)
		if last := i == len(all)-1; last != (kind == "end") || last && line["lines"] != float64(i) {
			s.t.Errorf("line %d of %d: %s", i+1, len(all), text)
		}
	}
	return lines
}

// TestUserExport: all that is held of a user is there, and of nobody else.
func TestUserExport(t *testing.T) {
	var store *sqlstore.Store
	s := startWith(t, nil, func(_ *api.Config, _ *ingest.Pipeline, opened *sqlstore.Store) { store = opened })
	s.fill()
	s.json(200, "PUT", "/v1/users/ann%2F1", `{"locale":"en","follows":["c1"]}`)
	s.json(202, "POST", "/v1/events", anonymousEvent("g1", "guest", "like", `,"item_id":"space-1"`))
	s.json(200, "POST", "/v1/recommend", `{"anonymous_id":"guest"}`)
	s.json(200, "POST", "/v1/users/ann%2F1/merge", `{"anonymous_id":"guest"}`)
	s.json(200, "POST", "/v1/search", `{"user_id":"ann/1","query":"space"}`)
	page := s.json(200, "POST", "/v1/recommend", `{"user_id":"ann/1","count":4}`)
	s.json(200, "POST", "/v1/recommend/next", fmt.Sprintf(`{"cursor":%q}`, page["next_cursor"]))
	s.again(200, false, "k", "/v1/recommend", `{"user_id":"ann/1"}`)
	first := page["items"].([]any)[0].(map[string]any)
	s.json(202, "POST", "/v1/events", event("e1", "ann/1", "like", fmt.Sprintf(`,"token":%q`, first["token"])))
	s.json(202, "POST", "/v1/events", event("b1", "bob", "like", `,"item_id":"music-1"`))
	s.json(200, "POST", "/v1/recommend", `{"user_id":"bob"}`)

	got := s.held("/v1/users/ann%2F1/export")
	for kind, n := range map[string]int{"user": 1, "profile": 1, "merged": 1, "event": 3, "recommendation": 5, "cursor": 1, "reply": 1, "end": 1} {
		if len(got[kind]) != n {
			t.Errorf("%d lines of type %s, want %d: %v", len(got[kind]), kind, n, got[kind])
		}
	}
	var events []string
	for _, line := range got["event"] {
		e := line["event"].(map[string]any)
		if e["user_id"] != "ann/1" || e["token"] != nil {
			t.Errorf("event %v, want the user's, without a token", e)
		}
		events = append(events, e["kind"].(string))
	}
	if !slices.Equal(events, []string{"follow", "like", "like"}) {
		t.Errorf("events %v, want all, oldest first", events)
	}
	if text := fmt.Sprint(got); strings.Contains(text, "bob") || !strings.Contains(text, "space-1") {
		t.Errorf("%s: somebody else's, or the guest's like is missing", text)
	}
	if text := fmt.Sprint(got["recommendation"]); strings.Contains(text, "token:") {
		t.Errorf("%s: a token is among the answers", text)
	}

	if status, _, body := s.do("GET", "/v1/users/nobody/export", "", ""); status != 404 || !strings.Contains(body, "not_found") {
		t.Errorf("nobody: %d %s, want 404", status, body)
	}
	if status, _, body := s.do("GET", "/v1/users/guest/export?anonymous=true", "", ""); status != 409 || !strings.Contains(body, "ann/1") {
		t.Errorf("the guest: %d %s, want 409 and who they are", status, body)
	}
	if status, _, _ := s.do("GET", "/v1/users/u/export?anonymous=maybe", "", ""); status != 422 {
		t.Errorf("anonymous=maybe: %d, want 422", status)
	}
	s.json(200, "DELETE", "/v1/users/ann%2F1", "")
	if _, err := store.Cursors.Cursor(t.Context(), "default", upnext.SlateID(page["id"].(string))); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("the cursor after erasure: %v, want none", err)
	}
	if status, _, body := s.do("GET", "/v1/users/ann%2F1/export", "", ""); status != 404 {
		t.Errorf("after erasure: %d %s, want 404", status, body)
	}
}

// breaking yields one event and breaks.
type breaking struct{ upnext.Holdings }

// HeldEvents breaks off.
func (breaking) HeldEvents(context.Context, upnext.Tenant, upnext.ViewerID) iter.Seq2[upnext.Event, error] {
	return func(yield func(upnext.Event, error) bool) {
		if yield(upnext.Event{ID: "e", Kind: upnext.Like, Item: "x", Viewer: upnext.ViewerID{ID: "u"}}, nil) {
			yield(upnext.Event{}, errors.New("disk on fire"))
		}
	}
}

// TestUserExportBreaksOff: nobody takes a part for the whole.
func TestUserExportBreaksOff(t *testing.T) {
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) { c.Holdings = breaking{c.Holdings} })
	s.json(200, "PUT", "/v1/users/u", `{}`)
	resp, err := http.Get(s.url + "/v1/users/u/export")
	if err == nil {
		defer resp.Body.Close()
		var line any
		for to := json.NewDecoder(resp.Body); err == nil; {
			err = to.Decode(&line)
		}
		if strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "unexpected") {
			t.Errorf("ends as if it were whole: %v", err)
		}
	}
}
