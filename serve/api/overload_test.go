package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
	"upnext/serve/door"
)

// startNarrow lets few answers in at once.
func startNarrow(t testing.TB, change func(*api.Config)) *server {
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		c.Door = door.Settings{Answers: 1, Events: 64, Others: 8, Wait: 2 * time.Millisecond}
		if change != nil {
			change(c)
		}
	})
	s.fill()
	return s
}

// TestEventsUnderOverload: while far more pages are asked for than can be
// made, each gets a page or a refusal that says when to come again, events are
// taken, single items are written, health and readiness answer, and who can
// wait is told to.
func TestEventsUnderOverload(t *testing.T) {
	s := startNarrow(t, nil)
	var flood sync.WaitGroup
	var end atomic.Bool
	var pages, refused atomic.Int64
	ask := func(path, body, priority string) (*http.Response, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return nil, ""
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Priority", priority)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return nil, ""
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp, string(raw)
	}
	for range 32 {
		flood.Go(func() {
			for !end.Load() {
				resp, body := ask("/v1/recommend", `{"user_id":"u"}`, "")
				if resp == nil {
					return
				}
				switch resp.StatusCode {
				case http.StatusOK:
					pages.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
					if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || n < 1 || !strings.Contains(body, `"code":"overloaded"`) ||
						resp.Header.Get("Content-Type") != "application/problem+json" {
						t.Errorf("a refusal: %v %s", resp.Header, body)
					}
				default:
					t.Errorf("under an overload: %d %s", resp.StatusCode, body)
				}
			}
		})
	}
	patient := 0
	for i := range 100 {
		if status, _, body := s.do("POST", "/v1/events", "application/json", event(fmt.Sprintf("e%d", i), "u", "view", `,"item_id":"space-1"`)); status != http.StatusAccepted {
			t.Errorf("event %d under an overload of pages: %d %s", i, status, body)
		}
		if resp, _ := ask("/v1/recommend", `{"user_id":"u"}`, "u=6"); resp != nil && resp.StatusCode == http.StatusServiceUnavailable {
			patient++
		}
		if i%10 > 0 {
			continue
		}
		for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
			if status, _, body := s.do("GET", path, "", ""); status != http.StatusOK {
				t.Errorf("%s under an overload: %d %s", path, status, body)
			}
		}
		s.json(200, "PUT", "/v1/items/new", item("new", "space"))
	}
	end.Store(true)
	flood.Wait()
	t.Logf("%d pages, %d refused, %d of 100 that can wait refused", pages.Load(), refused.Load(), patient)
	if pages.Load() == 0 || refused.Load() == 0 || patient < 50 {
		t.Errorf("%d pages, %d refused, %d of 100 that can wait refused; want some, some, and most", pages.Load(), refused.Load(), patient)
	}
	if _, _, body := s.do("GET", "/metrics", "", ""); !strings.Contains(body, `upnext_door_requests_total{class="answers",outcome="refused"} `+strconv.FormatInt(refused.Load(), 10)+"\n") {
		t.Error("the metrics do not count what was refused")
	}
	if resp, body := ask("/v1/recommend", `{"user_id":"u"}`, "u=6"); resp.StatusCode != http.StatusOK {
		t.Errorf("when it is over, who can wait: %d %s", resp.StatusCode, body)
	}
}

// dial opens a connection that a test writes to by hand.
func (s *server) dial() net.Conn {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn
}

// TestSlowLoris: clients who send a body byte by byte hold no place at the
// door, and of memory what they have sent, not what they have announced.
func TestSlowLoris(t *testing.T) {
	s := startNarrow(t, func(c *api.Config) { c.BodyMemory = 1 << 20 })
	for i := range 40 {
		path := []string{"/v1/recommend", "/v1/events", "/v1/search", "/v1/similar"}[i%4]
		fmt.Fprintf(s.dial(), "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n{", path)
	}
	for range 20 {
		s.json(200, "POST", "/v1/recommend", `{"user_id":"u"}`)
	}
	s.json(202, "POST", "/v1/events", event("e", "u", "view", `,"item_id":"space-1"`))
	_, _, metrics := s.do("GET", "/metrics", "", "")
	held := -1.0
	for line := range strings.Lines(metrics) {
		if v, ok := strings.CutPrefix(line, "upnext_body_bytes "); ok {
			held, _ = strconv.ParseFloat(strings.TrimSpace(v), 64)
		}
	}
	if held <= 0 || held > 40*4096 {
		t.Errorf("40 slow bodies take %v bytes, want some, and 4 KiB each at most", held)
	}
}

// TestBodyMemory: when bodies take all the memory that there is for them, more
// are refused, and taken again when those are gone.
func TestBodyMemory(t *testing.T) {
	s := startNarrow(t, func(c *api.Config) { c.BodyMemory = 1 << 20 })
	conn := s.dial()
	fmt.Fprintf(conn, "POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n%s", strings.Repeat(" ", 1<<20))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a body over the memory: %v %v, want 503", resp, err)
	}
	resp.Body.Close()
	s.json(200, "POST", "/v1/recommend", `{"user_id":"u"}`)
}

// TestHugeBody is refused by what it announces, and by what it sends where it
// announces nothing.
func TestHugeBody(t *testing.T) {
	s := startNarrow(t, nil)
	for name, head := range map[string]string{
		"announced": "Content-Length: 9000000000\r\n\r\n",
		"chunked":   "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("100000\r\n"+strings.Repeat(" ", 0x100000)+"\r\n", 9),
	} {
		conn := s.dial()
		go func() {
			fmt.Fprintf(conn, "POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s", head) // it may be cut off
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(body), `"code":"too_large"`) {
			t.Errorf("%s: %d %s, want 413", name, resp.StatusCode, body)
		}
	}
}

// TestFlowingEvents: a body of events over what is read before the door flows,
// and is taken whole.
func TestFlowingEvents(t *testing.T) {
	s := startNarrow(t, nil)
	var lines strings.Builder
	n := 0
	for ; lines.Len() < 3<<20; n++ {
		lines.WriteString(event(fmt.Sprintf("e%d", n), "u", "view", `,"item_id":"space-1"`) + "\n")
	}
	status, _, body := s.do("POST", "/v1/events", "application/x-ndjson", lines.String())
	if status != http.StatusAccepted || !strings.Contains(body, fmt.Sprintf(`"accepted":%d,`, n)) {
		t.Errorf("%d events: %d %s", n, status, body)
	}
}
