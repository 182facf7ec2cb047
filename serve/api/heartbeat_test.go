package api_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// TestHeartbeat: a stream that has given a sign of life is shown while they
// come; one that never has is not judged by them.
func TestHeartbeat(t *testing.T) {
	time0 := &clock{at: time.Now().UTC().Truncate(time.Second)}
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		c.Now, c.Recommender.Now = time0.now, time0.now
	})
	live := func(id, rest string) string {
		return `{"id":"` + id + `","kind":"live","title":"` + id + `"` + rest + `}`
	}
	for id, body := range map[string]string{
		"said": live("said", `,"room_state":"on"`), "beats": live("beats", ``), "off": live("off", `,"room_state":"off"`), "a/b": live("a/b", ``), "film": item("film", "space"),
	} {
		s.json(200, "PUT", "/v1/items/"+strings.ReplaceAll(id, "/", "%2F"), body)
	}
	shown := func(want ...string) {
		t.Helper()
		got := ids(s.json(200, "POST", "/v1/recommend", `{"filter":"kind == 'live'"}`))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("at %s: %v, want %v", time0.now().Format(time.TimeOnly), got, want)
		}
	}
	beat := func(id, body string, lives time.Duration) {
		t.Helper()
		answer := s.json(200, "POST", "/v1/items/"+id+"/heartbeat", body)
		if want := time0.now().Add(lives).Format(time.RFC3339); answer["until"] != want {
			t.Errorf("heartbeat of %s: %v, want until %s", id, answer, want)
		}
	}
	shown("a/b", "beats", "said")
	beat("beats", ``, 30*time.Second)
	beat("a%2Fb", `{"ttl_s":60}`, time.Minute)
	if got := s.json(200, "GET", "/v1/items/beats", "")["room_state"]; got != "on" {
		t.Errorf("room_state %v after the first heartbeat, want on", got)
	}
	time0.pass(29 * time.Second)
	shown("a/b", "beats", "said")
	time0.pass(time.Second)
	shown("a/b", "said")
	time0.pass(30 * time.Second)
	shown("said")
	beat("beats", `{}`, 30*time.Second)
	shown("beats", "said")
	s.json(200, "PATCH", "/v1/items/beats", `{"room_state":"off"}`)
	shown("said")

	for _, c := range []struct {
		path, body string
		status     int
		pointer    string
	}{
		{"nobody", ``, 404, ""},
		{"film", ``, 422, "path.id"},
		{"off", ``, 409, "path.id"},
		{"beats", ``, 409, "path.id"},
		{"said", `{"ttl_s":1}`, 422, "/ttl_s"},
		{"said", `{"ttl_s":601}`, 422, "/ttl_s"},
		{"said", `{"ttl":9}`, 422, "/ttl"},
	} {
		answer := s.json(c.status, "POST", "/v1/items/"+c.path+"/heartbeat", c.body)
		errors, _ := answer["errors"].([]any)
		if c.pointer != "" && (len(errors) == 0 || errors[0].(map[string]any)["pointer"] != c.pointer) {
			t.Errorf("heartbeat of %s %s: %v, want a problem at %s", c.path, c.body, answer, c.pointer)
		}
	}
	shown("said")
}
