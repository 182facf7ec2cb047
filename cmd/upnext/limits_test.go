package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"upnext"
)

// TestLimits: a limit that nothing could be served within is refused by name.
func TestLimits(t *testing.T) {
	good := Settings{MaxEvents: 1, MaxOthers: 1, MaxConnections: 16, BreakAfter: 1, BreakFor: 1, BodyMemory: "16MiB", ReplyBytes: "1MiB", MemoryLimit: "64MiB"}
	if err := good.checkLimits(); err != nil {
		t.Fatal(err)
	}
	if good.bodyMemory() != 16<<20 {
		t.Errorf("16MiB are %d bytes", good.bodyMemory())
	}
	for flag, spoil := range map[string]func(*Settings){
		"--max-events":      func(s *Settings) { s.MaxEvents = 0 },
		"--max-answers":     func(s *Settings) { s.MaxAnswers = -1 },
		"--max-connections": func(s *Settings) { s.MaxConnections = 1 },
		"--break-after":     func(s *Settings) { s.BreakAfter = 0 },
		"--drain":           func(s *Settings) { s.Drain = -1 },
		"--body-memory":     func(s *Settings) { s.BodyMemory = "much" },
		"--reply-bytes":     func(s *Settings) { s.ReplyBytes = "1kB" },
		"--memory-limit":    func(s *Settings) { s.MemoryLimit = "1MiB" },
	} {
		bad := good
		spoil(&bad)
		if err := bad.checkLimits(); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v, want its name", flag, err)
		}
	}
}

// TestMemoryLimit sets what the setting says.
func TestMemoryLimit(t *testing.T) {
	unset(t, "GOMEMLIMIT")
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	s := Settings{MemoryLimit: "3GiB"}
	if err := s.limitMemory(newLogger(&s, io.Discard)); err != nil {
		t.Fatal(err)
	}
	if got := debug.SetMemoryLimit(-1); got != 3<<30 {
		t.Errorf("limit %d, want %d", got, 3<<30)
	}
}

// TestDrain: told to end, the server says that it is not ready, still answers,
// finishes what is under way, and ends.
func TestDrain(t *testing.T) {
	s := spawn(t, "serve", "--data-dir", t.TempDir(), "--drain", "1s")
	status := func() int {
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for end := time.Now().Add(20 * time.Second); status() != 200; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never ready")
		}
	}
	body, send := io.Pipe() // a request that is under way when the end comes
	answered := make(chan error, 1)
	go func() {
		resp, err := http.Post(s.url+"/v1/items", "application/x-ndjson", body)
		if err == nil {
			var raw []byte
			raw, err = io.ReadAll(resp.Body)
			resp.Body.Close()
			if !strings.Contains(string(raw), `"created"`) {
				err = fmt.Errorf("%d %s", resp.StatusCode, raw)
			}
		}
		answered <- err
	}()
	if _, err := io.WriteString(send, `{"id":"a","kind":"video","title":"A film"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(800 * time.Millisecond); status() != 503; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("readyz does not say that the server is to end")
		}
	}
	if resp, err := http.Post(s.url+"/v1/recommend", "application/json", strings.NewReader(`{}`)); err != nil || resp.StatusCode != 200 {
		t.Errorf("a request while draining: %v %v, want an answer", resp, err)
	} else {
		resp.Body.Close()
	}
	time.Sleep(1200 * time.Millisecond) // the listener has closed
	if got := status(); got != 0 {
		t.Errorf("after draining: %d, want no connection", got)
	}
	send.Close()
	if err := <-answered; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	select {
	case err := <-s.ended:
		s.ended <- err
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(15 * time.Second):
		t.Error("does not end")
	}
}

// unset removes a variable for the time of a test.
func unset(t *testing.T, name string) {
	t.Setenv(name, "") // puts it back at the end
	os.Unsetenv(name)
}
