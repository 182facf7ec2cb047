package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// send is do with headers of its own.
func (s *server) send(method, path, body string, headers ...string) (int, http.Header, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if method == "PATCH" {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

// TestConditions reads and writes an item and a user under conditions.
func TestConditions(t *testing.T) {
	s := start(t)
	for path, body := range map[string]func(n int) string{
		"/v1/items/x": func(n int) string { return fmt.Sprintf(`{"kind":"video","title":"t%d"}`, n) },
		"/v1/users/u": func(n int) string { return fmt.Sprintf(`{"birth_year":%d}`, 1990+n) },
	} {
		want := func(status int, method, body string, headers ...string) string {
			t.Helper()
			got, header, answer := s.send(method, path, body, headers...)
			if got != status {
				t.Fatalf("%s %s %v: %d %s, want %d", method, path, headers, got, answer, status)
			}
			if got == 412 && !strings.Contains(answer, `"pointer":"header.If-`) {
				t.Errorf("412: %s, want the header's name", answer)
			}
			if (got == 200 || got == 304) && header.Get("ETag") == "" {
				t.Errorf("%s %s: %d without an ETag", method, path, got)
			}
			if got == 304 && answer != "" {
				t.Errorf("304 with %s", answer)
			}
			return header.Get("ETag")
		}
		want(412, "PUT", body(1), "If-Match", `*`)
		first := want(200, "PUT", body(1), "If-None-Match", `*`)
		want(412, "PUT", body(2), "If-None-Match", `*`)
		if again := want(200, "GET", ""); again != first {
			t.Errorf("read %s, written %s", again, first)
		}
		want(304, "GET", "", "If-None-Match", first)
		want(304, "GET", "", "If-None-Match", `"other", W/`+first)
		want(200, "GET", "", "If-None-Match", `"other"`)
		second := want(200, "PUT", body(2), "If-Match", `"other", `+first)
		if second == first {
			t.Error("a change keeps the ETag")
		}
		want(412, "PUT", body(3), "If-Match", first)
		want(412, "PUT", body(3), "If-Match", "W/"+second) // a weak one promises too little
		want(412, "PATCH", body(3), "If-Match", first)
		third := want(200, "PATCH", body(3), "If-Match", second)
		want(200, "GET", "", "If-None-Match", second)
		want(304, "GET", "", "If-None-Match", third)
	}
	if got, _, _ := s.send("DELETE", "/v1/items/x", "", "If-Match", `"v1"`); got != 412 {
		t.Errorf("delete by an old ETag: %d, want 412", got)
	}
	_, header, _ := s.send("GET", "/v1/items/x", "")
	if got, _, body := s.send("DELETE", "/v1/items/x", "", "If-Match", header.Get("ETag")); got != 204 {
		t.Errorf("delete by the present ETag: %d %s, want 204", got, body)
	}
}

// TestPatchesAtOnce: of patches at one moment none is lost, and of writes under
// one ETag one is taken.
func TestPatchesAtOnce(t *testing.T) {
	s := start(t)
	_, header, _ := s.send("PUT", "/v1/items/x", `{"kind":"video","title":"t"}`)
	etag := header.Get("ETag")
	fields := []string{`"description":"d"`, `"language":"en"`, `"creator_id":"c"`, `"series_id":"s"`}
	var wg sync.WaitGroup
	var mu sync.Mutex
	took := map[int]int{}
	for i := range fields {
		wg.Go(func() {
			status, _, _ := s.send("PUT", "/v1/items/x", fmt.Sprintf(`{"kind":"video","title":"t%d"}`, i), "If-Match", etag)
			mu.Lock()
			took[status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if took[200] != 1 || took[412] != len(fields)-1 {
		t.Errorf("writes under one ETag: %v, want one 200 and the others 412", took)
	}
	for _, f := range fields {
		wg.Go(func() {
			if status, _, body := s.send("PATCH", "/v1/items/x", "{"+f+"}"); status != 200 {
				t.Errorf("patch %s: %d %s", f, status, body)
			}
		})
	}
	wg.Wait()
	_, _, body := s.send("GET", "/v1/items/x", "")
	for _, f := range fields {
		if !strings.Contains(body, f) {
			t.Errorf("%s, want %s in it", body, f)
		}
	}
}
