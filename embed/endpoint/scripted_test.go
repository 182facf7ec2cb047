package endpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/embed/cached"
	"upnext/embed/endpoint"
	"upnext/embed/openai"
)

// scripted is a test server written from OpenAI's published schema, over pipes, so
// that time inside a synctest bubble stands still while it works. Whatever host is
// called, script answers first; where it returns false the server answers well: a
// vector made of the text.
type scripted struct {
	script  func(host string, n int, w http.ResponseWriter, texts []string) bool
	calls   atomic.Int64
	mu      sync.Mutex
	batches [][]string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Input []string `json:"input"`
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &req); err != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	n := int(s.calls.Add(1))
	s.mu.Lock()
	s.batches = append(s.batches, req.Input)
	s.mu.Unlock()
	if s.script != nil && s.script(r.Host, n, w, req.Input) {
		return
	}
	good(w, req.Input)
}

func good(w io.Writer, texts []string) {
	var rows []string
	for i, t := range texts {
		rows = append(rows, fmt.Sprintf(`{"index":%d,"embedding":[%d,1,2]}`, i, len(t)+1))
	}
	fmt.Fprintf(w, `{"data":[%s],"usage":{"total_tokens":%d}}`, strings.Join(rows, ","), len(texts))
}

// start serves over pipes and opens a Client of the hosts, of 3 dimensions.
func start(t *testing.T, s *scripted, change func(*endpoint.Config), hosts ...string) *endpoint.Client {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: s}
	var wg sync.WaitGroup
	wg.Go(func() { srv.Serve(l) })
	transport := &http.Transport{DialContext: l.dial}
	engine, err := openai.New(openai.Config{Model: "m", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	if hosts == nil {
		hosts = []string{"one"}
	}
	for i := range hosts {
		hosts[i] = "http://" + hosts[i] + "/v1"
	}
	c := endpoint.Config{Engine: engine, Endpoints: hosts, ID: "m", Dim: 3}
	if change != nil {
		change(&c)
	}
	cl, err := endpoint.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cl.Close()
		transport.CloseIdleConnections()
		srv.Close()
		wg.Wait()
	})
	return cl
}

type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case p.conns <- b:
		return a, nil
	case <-p.done:
		return nil, io.ErrClosedPipe
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func say(status int, body string, header ...string) func(string, int, http.ResponseWriter, []string) bool {
	return func(_ string, _ int, w http.ResponseWriter, _ []string) bool {
		if len(header) == 2 {
			w.Header().Set(header[0], header[1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
		return true
	}
}

// TestFailures: for each way to fail, the error, how often it is tried, and that
// nothing of it stays in a cache once the server is well again.
func TestFailures(t *testing.T) {
	for _, test := range []struct {
		name   string
		script func(string, int, http.ResponseWriter, []string) bool
		calls  int64 // for one Embed, all of them failing
		says   string
	}{
		{"503", say(503, "loading"), 4, "503"},
		{"429", say(429, "busy", "Retry-After", "3"), 4, "429"},
		{"424", say(424, `{"error":"cuda"}`), 4, "cuda"},
		{"401", say(401, "who are you"), 1, "who are you"},
		{"404", say(404, "no such model"), 1, "http://one/v1/embeddings answered 404"},
		{"HTML", say(200, "<html>please log in</html>"), 2, "invalid character"},
		{"half a body", func(_ string, _ int, w http.ResponseWriter, _ []string) bool {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"data":[{"index":0,"embedding":[1,`)
			return true
		}, 2, "EOF"},
		{"wrong length", say(200, `{"data":[{"index":0,"embedding":[1,2]}]}`), 2, "2 components, want 3"},
		{"NaN", say(200, `{"data":[{"index":0,"embedding":[1,NaN,2]}]}`), 2, "invalid character"},
		{"null", say(200, `{"data":[{"index":0,"embedding":[1,null,2]}]}`), 2, "null"},
		{"NaN in base64", say(200, `{"data":[{"index":0,"embedding":"AADAfwAAgD8AAIA/"}]}`), 2, "not finite"},
		{"zero", say(200, `{"data":[{"index":0,"embedding":[0,0,0]}]}`), 2, "zero"},
		{"wrong count", say(200, `{"data":[]}`), 2, "0 vectors for 1"},
		{"wrong index", say(200, `{"data":[{"index":7,"embedding":[1,1,1]}]}`), 2, "index 7"},
		{"refuses all", say(400, "dimensions are not supported"), 2, "dimensions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				well := false
				s := &scripted{script: func(h string, n int, w http.ResponseWriter, in []string) bool {
					return !well && test.script(h, n, w, in)
				}}
				e, err := cached.New(start(t, s, nil), 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				_, err = e.Embed(t.Context(), embed.Input{Text: "a"})
				if !errors.Is(err, upnext.ErrUnavailable) || errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("got %v, want an ErrUnavailable that says %q", err, test.says)
				}
				if n := s.calls.Load(); n != test.calls {
					t.Errorf("got %d calls, want %d", n, test.calls)
				}
				well = true
				time.Sleep(time.Minute) // of the bubble: breakers and Retry-After are over
				if v, err := e.Embed(t.Context(), embed.Input{Text: "a"}); err != nil || len(v) != 1 || len(v[0]) != 3 {
					t.Errorf("once well: got %v, %v", v, err)
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for name, value := range map[string]string{"seconds": "7", "date": "Sat, 01 Jan 2000 00:00:07 GMT"} { // the bubble's clock begins in 2000
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{}
				s.script = func(h string, n int, w http.ResponseWriter, in []string) bool {
					return n == 1 && say(429, "busy", "Retry-After", value)(h, n, w, in)
				}
				c := start(t, s, nil)
				began := time.Now()
				if _, err := c.Embed(t.Context(), embed.Input{Text: "a"}); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(began); d < 6900*time.Millisecond || d > 8*time.Second || s.calls.Load() != 2 {
					t.Errorf("answered after %v and %d calls, want 7 s and 2", d, s.calls.Load())
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: say(429, "come back tomorrow", "Retry-After", "86400")}
		began := time.Now()
		if _, err := start(t, s, nil).Embed(t.Context(), embed.Input{Text: "a"}); !errors.Is(err, upnext.ErrUnavailable) || time.Since(began) > time.Second {
			t.Errorf("got %v after %v, want ErrUnavailable at once", err, time.Since(began))
		}
	})
}

func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: func(string, int, http.ResponseWriter, []string) bool { time.Sleep(time.Hour); return true }}
		c := start(t, s, func(c *endpoint.Config) { c.Timeout = time.Second })
		began := time.Now()
		_, err := c.Embed(t.Context(), embed.Input{Text: "a"})
		if !errors.Is(err, upnext.ErrUnavailable) || time.Since(began) > 10*time.Second || s.calls.Load() != 4 {
			t.Errorf("got %v after %v and %d calls, want ErrUnavailable within 10 s and 4", err, time.Since(began), s.calls.Load())
		}
		time.Sleep(2 * time.Hour) // let the server's calls end
	})
}

func TestOneBadAmong64(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: func(h string, n int, w http.ResponseWriter, in []string) bool {
			for _, text := range in {
				if text == "bad" {
					return say(422, "cannot be cut into tokens")(h, n, w, in)
				}
			}
			return false
		}}
		c := start(t, s, func(c *endpoint.Config) { c.MaxBatch = 64 })
		inputs := make([]embed.Input, 64)
		for i := range inputs {
			inputs[i].Text = fmt.Sprint("text ", i)
		}
		inputs[41].Text = "bad"
		got, err := c.Embed(t.Context(), inputs...)
		var partial *embed.PartialError
		if !errors.As(err, &partial) || len(partial.Failed) != 1 || !errors.Is(partial.Failed[41], upnext.ErrInvalid) ||
			!strings.Contains(partial.Failed[41].Error(), "cut into tokens") {
			t.Fatalf("got %v, want input 41 refused in the server's words", err)
		}
		for i, v := range got {
			if (v == nil) != (i == 41) {
				t.Errorf("vector %d: got %v", i, v)
			}
		}
		if n := s.calls.Load(); n != 13 {
			t.Errorf("got %d calls, want 13", n)
		}
	})
}

func TestTooLongIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: func(h string, n int, w http.ResponseWriter, in []string) bool {
			return len(in[0]) > 1000 && say(413, "must have less than 512 tokens")(h, n, w, in)
		}}
		if _, err := start(t, s, nil).Embed(t.Context(), embed.Input{Text: strings.Repeat("word ", 2000)}); err != nil {
			t.Errorf("got %v, want the text's beginning embedded", err)
		}
	})
}

func TestTwoEndpointsOneDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Int64
		s := &scripted{script: func(host string, n int, w http.ResponseWriter, in []string) bool {
			if host == "dead" {
				dead.Add(1)
				return say(503, "gone")(host, n, w, in)
			}
			return false
		}}
		c := start(t, s, nil, "dead", "well")
		for i := range 60 {
			if _, err := c.Embed(t.Context(), embed.Input{Text: fmt.Sprint(i)}); err != nil {
				t.Fatalf("call %d: %v", i, err)
			}
		}
		if n := dead.Load(); n < 1 || n > 12 { // five until the breaker opens, then one each ten seconds
			t.Errorf("the dead endpoint was called %d times, want 5 or few more", n)
		}
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		well := atomic.Bool{}
		s := &scripted{script: func(h string, n int, w http.ResponseWriter, in []string) bool {
			return !well.Load() && say(503, "no")(h, n, w, in)
		}}
		c := start(t, s, nil)
		for range 30 {
			c.Embed(t.Context(), embed.Input{Text: "a"})
		}
		before := s.calls.Load()
		if before > 8 {
			t.Errorf("a dead server got %d calls for 30 batches, want no more than open the breaker", before)
		}
		well.Store(true)
		time.Sleep(11 * time.Second)
		if _, err := c.Embed(t.Context(), embed.Input{Text: "a"}); err != nil {
			t.Errorf("after the breaker's time: got %v", err)
		}
	})
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: func(h string, n int, w http.ResponseWriter, in []string) bool {
			return n%4 != 0 && say(503, "no")(h, n, w, in) // never five in a row: no breaker helps
		}}
		c := start(t, s, nil)
		for range 200 {
			c.Embed(t.Context(), embed.Input{Text: "a"})
		}
		if n := s.calls.Load(); n > 200+10+20 {
			t.Errorf("200 batches made %d calls, want no more than a tenth more and ten", n)
		}
	})
}

func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{}
		c := start(t, s, nil)
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				if _, err := c.Embed(t.Context(), embed.Input{Text: strings.Repeat("x", i+1)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := s.calls.Load(); n != 1 {
			t.Errorf("32 callers made %d requests, want 1", n)
		}
	})
}

func TestOneCallerCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: func(string, int, http.ResponseWriter, []string) bool { time.Sleep(time.Second); return false }}
		c := start(t, s, nil)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Embed(ctx, embed.Input{Text: "impatient"}); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want Canceled", err)
			}
		})
		wg.Go(func() {
			if _, err := c.Embed(t.Context(), embed.Input{Text: "patient"}); err != nil {
				t.Errorf("the other caller of the batch: %v", err)
			}
		})
		time.Sleep(500 * time.Millisecond)
		cancel()
		wg.Wait()
		if n := s.calls.Load(); n != 1 {
			t.Errorf("got %d requests, want 1 shared", n)
		}
	})
}

func TestCloseUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: func(string, int, http.ResponseWriter, []string) bool { time.Sleep(time.Minute); return false }}
		c := start(t, s, func(c *endpoint.Config) { c.MaxBatch, c.Concurrency = 2, 2 })
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := c.Embed(t.Context(), embed.Input{Text: "a"}, embed.Input{Text: "b"}, embed.Input{Text: "c"}); !errors.Is(err, upnext.ErrUnavailable) {
					t.Errorf("got %v, want ErrUnavailable", err)
				}
			})
		}
		time.Sleep(time.Second)
		c.Close()
		wg.Wait()
		time.Sleep(2 * time.Minute)
	})
}
