package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"upnext"
	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
)

// again sends a request under a key, wants a status, and whether the answer is
// that of the first time.
func (s *server) again(want int, replayed bool, key, path, body string) string {
	s.t.Helper()
	status, h, answer := s.send("POST", path, body, "Idempotency-Key", key)
	if status != want || (h.Get("Idempotent-Replayed") == "true") != replayed {
		s.t.Errorf("%s %.80s under %.40q: %d %.300s, replayed %q; want %d, %v", path, body, key, status, answer, h.Get("Idempotent-Replayed"), want, replayed)
	}
	if status < 300 && !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		s.t.Errorf("%s: type %q", path, h.Get("Content-Type"))
	}
	return answer
}

// TestOnce: a request that is sent again under its key is answered as the first
// time and not done again; what was refused may be mended.
func TestOnce(t *testing.T) {
	s := start(t)
	s.fill()
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/v1/recommend", `{"user_id":"u"}`, 200},
		{"/v1/events", event("e", "u", "like", `,"item_id":"space-1"`), 202},
		{"/v1/items", `[` + item("once", "x") + `]`, 200},
	} {
		first := s.again(c.status, false, "key-of"+c.path, c.path, c.body)
		if second := s.again(c.status, true, "key-of"+c.path, c.path, c.body); second != first {
			t.Errorf("%s again:\n%s\nwant\n%s", c.path, second, first)
		}
		if fresh := s.again(c.status, false, "other-of"+c.path, c.path, c.body); fresh == first {
			t.Errorf("%s under another key is answered by the first: %s", c.path, first)
		}
	}
	for path, body := range map[string]string{"/v1/recommend": `{"user_id":"v"}`, "/v1/similar": `{"user_id":"u"}`, "/v1/recommend?x=1": `{"user_id":"u"}`} {
		if answer := s.again(422, false, "key-of/v1/recommend", path, body); !strings.Contains(answer, `"pointer":"header.Idempotency-Key"`) {
			t.Errorf("%s with the key of another request: %s, want the header named", path, answer)
		}
	}
	s.again(422, false, "mended", "/v1/recommend", `{"count":0}`)
	s.again(200, false, "mended", "/v1/recommend", `{"count":1}`)
	s.again(200, true, "mended", "/v1/recommend", `{"count":1}`)
	for _, bad := range []string{strings.Repeat("k", 257), "two words", "ключ"} {
		s.again(422, false, bad, "/v1/recommend", `{}`)
	}
	for _, path := range []string{"/v1/items", "/v1/events"} {
		status, _, answer := s.send("POST", path, "{}\n", "Idempotency-Key", "lines", "Content-Type", "application/x-ndjson")
		if status != 422 || !strings.Contains(answer, "NDJSON") {
			t.Errorf("NDJSON to %s: %d %s, want 422", path, status, answer)
		}
	}
	long := "[" + strings.TrimSuffix(strings.Repeat(event("e", "u", "like", `,"item_id":"space-1"`)+",", 12_000), ",") + "]"
	s.again(413, false, "long", "/v1/events", long)
}

// TestOnceNext: who lost a page asks for it again, not for the one behind it.
func TestOnceNext(t *testing.T) {
	s := start(t)
	s.fill()
	cursor := s.json(200, "POST", "/v1/recommend", `{"count":3}`)["next_cursor"].(string)
	body := fmt.Sprintf(`{"cursor":%q}`, cursor)
	page := s.again(200, false, "page-2", "/v1/recommend/next", body)
	if again := s.again(200, true, "page-2", "/v1/recommend/next", body); again != page {
		t.Errorf("page 2 again: %s, want %s", again, page)
	}
	if third := s.again(200, false, "page-3", "/v1/recommend/next", body); third == page {
		t.Error("another key reads the same page")
	}
}

// TestOnceErased: with a viewer go the replies that tell of them.
func TestOnceErased(t *testing.T) {
	s := start(t)
	s.fill()
	first := s.again(200, false, "k", "/v1/recommend", `{"user_id":"u"}`)
	other := s.again(200, false, "l", "/v1/recommend", `{"user_id":"v"}`)
	s.json(200, "DELETE", "/v1/users/u", "")
	if again := s.again(200, false, "k", "/v1/recommend", `{"user_id":"u"}`); again == first {
		t.Error("an erased viewer's answer is given again")
	}
	if again := s.again(200, true, "l", "/v1/recommend", `{"user_id":"v"}`); again != other {
		t.Error("another viewer's answer has gone")
	}
}

// TestOnceScopes: pages and owners have keys apart.
func TestOnceScopes(t *testing.T) {
	s := start(t, bothKeys()...)
	for _, key := range []string{secretKey, pageKey} {
		s.key = key
		s.again(200, false, "k", "/v1/recommend", `{}`)
		s.again(200, true, "k", "/v1/recommend", `{}`)
	}
}

// slowImports starts imports when it is told how: nil panics.
type slowImports struct {
	noImports
	started atomic.Int32
	under   chan struct{} // told of each start
	how     chan error
}

// Start waits to be told what becomes of it.
func (i *slowImports) Start(ctx context.Context, _ upnext.Tenant, order api.ImportOrder) (upnext.Import, error) {
	n := i.started.Add(1)
	i.under <- struct{}{}
	if err := <-i.how; err != nil {
		panic(err)
	}
	return upnext.Import{ID: upnext.ImportID(fmt.Sprint("imp_", n)), Source: order.Source, State: upnext.Queued}, ctx.Err()
}

// TestOnceUnderWay: while the first is being answered another gets 409, also at
// another replica, and the reply then; a handler that breaks leaves the key free.
func TestOnceUnderWay(t *testing.T) {
	imports := &slowImports{under: make(chan struct{}, 1), how: make(chan error)}
	var config api.Config
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) {
		c.Importer = imports
		config = *c
	})
	config.Metrics = prometheus.NewRegistry()
	other := httptest.NewServer(api.New(config))
	defer other.Close()
	there := &server{t: t, url: other.URL}

	const path, body = "/v1/imports", `{"source":"s3://b/p"}`
	broken := make(chan string)
	go func() { broken <- s.again(500, false, "k", path, body) }()
	<-imports.under
	imports.how <- fmt.Errorf("out of its mind")
	<-broken

	answers := make(chan string)
	go func() { answers <- s.again(202, false, "k", path, body) }()
	<-imports.under
	for _, at := range []*server{s, there} {
		status, h, answer := at.send("POST", path, body, "Idempotency-Key", "k")
		if status != http.StatusConflict || h.Get("Retry-After") == "" || !strings.Contains(answer, "still being answered") {
			t.Errorf("meanwhile: %d %v %s, want 409 and when to come again", status, h, answer)
		}
	}
	imports.how <- nil
	first := <-answers
	for _, at := range []*server{s, there} {
		if again := at.again(202, true, "k", path, body); again != first {
			t.Errorf("afterwards: %s, want %s", again, first)
		}
	}
	if n := imports.started.Load(); n != 2 {
		t.Errorf("started %d times, want once, and once in vain", n)
	}
}

// TestOnceLong: an answer that is too long to be kept is sent whole, and not
// made again.
func TestOnceLong(t *testing.T) {
	s := start(t)
	var lines strings.Builder
	for i := range 25 {
		fmt.Fprintf(&lines, `{"id":"i%d","kind":"video","title":"t%d","description":%q}`+"\n", i, i, strings.Repeat(fmt.Sprintf("word%d ", i), 7_000))
	}
	s.do("POST", "/v1/items", "application/x-ndjson", lines.String())
	const body = `{"count":25,"include":["description"]}`
	if answer := s.again(200, false, "k", "/v1/recommend", body); len(answer) < 1<<20 || !strings.HasSuffix(strings.TrimSpace(answer), "}") {
		t.Errorf("%d bytes, want all of more than 1 MiB", len(answer))
	}
	if answer := s.again(409, false, "k", "/v1/recommend", body); !strings.Contains(answer, "was not kept") {
		t.Errorf("again: %s, want to hear that it was done", answer)
	}
}
