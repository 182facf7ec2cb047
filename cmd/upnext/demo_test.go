package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// started is a server in this process.
type started struct {
	t    testing.TB
	url  string
	stop func()
}

// lines is an io.Writer that tells of the first match of what it waits for.
type lines struct {
	mu    sync.Mutex
	all   bytes.Buffer
	want  *regexp.Regexp
	found chan string
}

// Write looks for the match in all that was written.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Write(p)
	if m := l.want.FindStringSubmatch(l.all.String()); m != nil && l.found != nil {
		l.found <- m[1]
		l.found = nil
	}
	return len(p), nil
}

// launch runs the command line until stop, which the test's end calls too.
func launch(t testing.TB, args ...string) *started {
	t.Helper()
	out := &lines{want: listening, found: make(chan string, 1)}
	found := out.found
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, append(args, "--listen", "127.0.0.1:0"), out, t.Output()) }()
	s := &started{t: t}
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v ended with %v", args, err)
		}
	})
	t.Cleanup(s.stop)
	select {
	case s.url = <-found:
	case err := <-ended:
		ended <- err
		t.Fatalf("%v ended at once with %v", args, err)
	case <-time.After(3 * time.Minute):
		t.Fatalf("%v is not ready after 3 minutes", args)
	}
	return s
}

// answer is what the tests read of a page of recommendations.
type answer struct {
	Items []struct {
		ID         string
		Score      float64
		Reasons    []struct{ Text, Code string }
		Properties struct {
			Title  string
			Topics []string
		}
	}
}

func (a answer) ids() []string {
	var ids []string
	for _, it := range a.Items {
		ids = append(ids, it.ID)
	}
	return ids
}

// share is how many of the items are about a topic, by the name they were given.
func (a answer) share(topic string) (n int) {
	for _, it := range a.Items {
		if strings.Split(it.ID, "-")[1] == topic || slices.Contains(it.Properties.Topics, topic) {
			n++
		}
	}
	return n
}

// post sends JSON, wants a 2xx and decodes the answer.
func (s *started) post(path, body string, out any) {
	s.t.Helper()
	s.must(http.MethodPost, path, body, out)
}

// get wants a 2xx and decodes the answer.
func (s *started) get(path string, out any) {
	s.t.Helper()
	s.must(http.MethodGet, path, "", out)
}

func (s *started) must(method, path, body string, out any) {
	s.t.Helper()
	raw, err := s.call(method, path, body)
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// call returns a 2xx's body; what else is answered is an error.
func (s *started) call(method, path, body string) ([]byte, error) {
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s %s", method, path, resp.Status, raw)
	}
	return raw, err
}

func (s *started) page(user string) answer {
	s.t.Helper()
	var a answer
	s.post("/v1/recommend", fmt.Sprintf(`{"user_id":%q,"count":20,"include":["title","topics"]}`, user), &a)
	return a
}

func (s *started) event(id, user, kind, rest string) {
	s.t.Helper()
	var got struct{ Accepted int }
	s.post("/v1/events", fmt.Sprintf(`{"id":%q,"user_id":%q,"kind":%q,"at":%q%s}`, id, user, kind, time.Now().UTC().Format(time.RFC3339Nano), rest), &got)
	if got.Accepted != 1 {
		s.t.Errorf("event %s: accepted %d, want 1", id, got.Accepted)
	}
}

// demoData fills a data directory by the demo and stops it.
func demoData(t testing.TB) string {
	t.Helper()
	data := t.TempDir()
	launch(t, "demo", "--data-dir", data).stop()
	return filepath.Join(data, "demo")
}

// TestDemo is what the README promises, without the page.
func TestDemo(t *testing.T) {
	data := demoData(t)
	clock := time.Now().UTC().Format(time.RFC3339)
	t.Run("equal first answers", func(t *testing.T) {
		var first []answer
		for i := range 2 {
			copied := filepath.Join(t.TempDir(), fmt.Sprint(i))
			if err := os.CopyFS(copied, os.DirFS(data)); err != nil {
				t.Fatal(err)
			}
			s := launch(t, "serve", "--data-dir", copied, "--seed", "7", "--clock", clock)
			s.waitReady()
			for _, user := range []string{"viewer-01", "viewer-30", "nobody"} {
				first = append(first, s.page(user))
			}
			s.stop()
		}
		for i := range 3 {
			if got, want := fmt.Sprint(first[i+3]), fmt.Sprint(first[i]); got != want {
				t.Errorf("two servers, one seed and clock:\n%s\nand\n%s", got, want)
			}
		}
	})
	s := launch(t, "serve", "--data-dir", data)
	s.waitReady()
	t.Run("a like, and not interested", func(t *testing.T) {
		const liked = "en-cooking-omelette-twelve-tries"
		before := s.page("nobody")
		at := time.Now()
		s.event("e1", "nobody", "like", `,"item_id":"`+liked+`"`)
		after := s.page("nobody")
		t.Logf("event and changed answer: %s; cooking %d of 20, then %d", time.Since(at).Round(10*time.Microsecond), before.share("cooking"), after.share("cooking"))
		if after.share("cooking") <= before.share("cooking") {
			t.Errorf("cooking %d before and %d after a like, want more", before.share("cooking"), after.share("cooking"))
		}
		if slices.Contains(after.ids(), liked) {
			t.Error("the liked item is still there")
		}
		if !strings.Contains(fmt.Sprint(after), "Twelve omelettes, eleven failures") {
			t.Error("no reason names the liked item")
		}
		s.event("e2", "nobody", "not_interested", `,"scope":"topic","topic":"cooking"`)
		for _, it := range s.page("nobody").Items {
			if slices.Contains(it.Properties.Topics, "cooking") {
				t.Errorf("%s is about cooking (%v) after not interested in it", it.ID, it.Properties.Topics)
			}
		}
	})
	t.Run("both languages", func(t *testing.T) {
		for query, want := range map[string]string{"how to look after a sourdough or bread": "-cooking-", "怎么拍星空": "-space-", "猫": "-pets-"} {
			var a answer
			s.post("/v1/search", fmt.Sprintf(`{"query":%q,"count":5,"include":["title"]}`, query), &a)
			if n := strings.Count(strings.Join(a.ids(), " "), want); n == 0 {
				t.Errorf("search %q: %v, want some of %s", query, a.ids(), want)
			}
		}
	})
	t.Run("thumbnails are shown", func(t *testing.T) {
		var a struct {
			Items []struct{ Properties struct{ Thumbnail string } }
		}
		s.post("/v1/recommend", `{"count":3,"include":["thumbnail"]}`, &a)
		for _, it := range a.Items {
			resp, err := http.Get(s.url + "/media/" + it.Properties.Thumbnail)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "image/") {
				t.Errorf("thumbnail %q: %s %s", it.Properties.Thumbnail, resp.Status, resp.Header.Get("Content-Type"))
			}
		}
	})
}

func (s *started) waitReady() {
	s.t.Helper()
	for range 1000 {
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			s.t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatal("not ready after 10 s")
}
