package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve"
	"upnext/serve/api"
)

// ready asks /readyz.
func (s *server) ready() (int, map[string]any) {
	s.t.Helper()
	status, _, raw := s.do("GET", "/readyz", "", "")
	var body map[string]any
	if err := json.Unmarshal([]byte(raw), &body); err != nil {
		s.t.Fatalf("%v in %s", err, raw)
	}
	return status, body
}

// TestReady: an engine that is away is named, and so is what pages go without;
// the server is ready all the same. It is not once it is to end, though it
// answers then what still comes.
func TestReady(t *testing.T) {
	var away, draining atomic.Bool
	hang := make(chan struct{})
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		c.Draining = &draining
		c.Dependencies = []api.Dependency{
			{Name: "database", Check: func(context.Context) error { return nil }},
			{Name: "objects", Check: func(context.Context) error {
				if away.Load() {
					return upnext.ErrUnavailable
				}
				return nil
			}},
			{Name: "index", Check: func(context.Context) error {
				if away.Load() {
					<-hang // and does not heed its context
				}
				return nil
			}},
		}
	})
	s.fill()
	status, body := s.ready()
	if engines := body["engines"].(map[string]any); status != 200 || body["ready"] != true || engines["database"] != "ok" || engines["index"] != "ok" {
		t.Errorf("all well: %d %v", status, body)
	}
	away.Store(true)
	time.Sleep(1100 * time.Millisecond) // what was found holds for a second, by the server's own clock
	var asking sync.WaitGroup
	for range 8 { // together: nobody queues behind who looks
		asking.Go(func() {
			began := time.Now()
			if status, _ := s.ready(); status != 200 || time.Since(began) > 3*time.Second {
				t.Errorf("with engines away: %d after %s, want 200 within 3 s", status, time.Since(began))
			}
		})
	}
	asking.Wait()
	status, body = s.ready()
	if engines := body["engines"].(map[string]any); status != 200 || engines["database"] != "ok" || engines["objects"] != "unavailable" || engines["index"] != "unavailable" {
		t.Errorf("two engines away: %d %v, want ready, and their names", status, body)
	}
	close(hang)
	draining.Store(true)
	if status, body = s.ready(); status != http.StatusServiceUnavailable || body["ready"] != false {
		t.Errorf("draining: %d %v, want 503", status, body)
	}
	s.json(200, "POST", "/v1/recommend", `{"user_id":"u"}`)
}

// TestNotReady: before the catalogue is loaded.
func TestNotReady(t *testing.T) {
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		c.Recommender = neverLoaded(c)
	})
	if status, body := s.ready(); status != http.StatusServiceUnavailable || body["ready"] != false || body["reason"] == "" {
		t.Errorf("not loaded: %d %v, want 503 and why", status, body)
	}
	if status, _, _ := s.do("GET", "/healthz", "", ""); status != 200 {
		t.Errorf("it lives: %d", status)
	}
}

// neverLoaded is a recommender that Run was not called for.
func neverLoaded(c *api.Config) *serve.Recommender { return serve.New(c.Recommender.Config) }
