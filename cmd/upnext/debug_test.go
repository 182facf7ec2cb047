package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"upnext"
)

// TestDebugListen: a running process shows its goroutines, on loopback alone,
// until it ends.
func TestDebugListen(t *testing.T) {
	for _, address := range []string{"0.0.0.0:6060", ":6060", "6060", "example.org:1"} {
		s := Settings{DebugListen: address}
		if err := s.checkDebug(); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "--debug-listen") {
			t.Errorf("%s: %v, want it refused by name", address, err)
		}
	}

	s := Settings{DebugListen: "127.0.0.1:0"}
	if err := s.checkDebug(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logged, log := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- s.serveDebug(ctx, slog.New(slog.NewTextHandler(log, nil))) }()
	line := make([]byte, 512)
	n, _ := logged.Read(line)
	url := regexp.MustCompile(`http://[^\s"]+`).FindString(string(line[:n]))
	resp, err := http.Get(url + "goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if shown, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || !strings.Contains(string(shown), "serveDebug") {
		t.Errorf("%d: %.200s", resp.StatusCode, shown)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
