package sqlstore_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
)

// TestKilledPostgres is TestKilled on PostgreSQL: what a killed process had
// acknowledged is there.
func TestKilledPostgres(t *testing.T) {
	url := newSchemas(t).url("killed")
	random := rand.New(rand.NewPCG(1, 2))
	acknowledged := map[string]bool{}
	const rounds = 6
	for round := range rounds {
		lines := 1 + random.IntN(200)
		if round == 0 {
			lines = 0 // while it makes the tables
		}
		for _, line := range runAndKill(t, url, round, lines, time.Duration(random.IntN(40))*time.Millisecond) {
			acknowledged[line] = true
		}
		compareKept(t, url, acknowledged)
	}
	if len(acknowledged) < rounds*10 {
		t.Errorf("%d writes were acknowledged in %d rounds, too few to show anything", len(acknowledged), rounds)
	}
}

// TestCutAtCommit loses the answers to commits, which the server has kept: the
// events are there once, and their sender is told that they are new.
func TestCutAtCommit(t *testing.T) {
	base := newSchemas(t).url("cut")
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, u.Host)
	u.Host = p.listener.Addr().String()
	s := openURL(t, u.String())
	defer func() { _ = s.Close() }()
	var counted int
	for n := range 5 {
		p.cut.Store(true)
		got, err := s.Events.Append(t.Context(), "a", viewed("ann", fmt.Sprint(n)), viewed("ann", fmt.Sprint(n, "b")))
		if err != nil || got[0].Duplicate || got[1].Duplicate {
			t.Errorf("append %d: %+v, %v, want both new", n, got, err)
		}
		if p.cut.Load() {
			t.Error("no commit was cut")
		}
		counted += len(got)
	}
	again, err := s.Events.Append(t.Context(), "a", viewed("ann", "0"))
	if err != nil || !again[0].Duplicate {
		t.Errorf("the same again: %+v, %v, want a duplicate", again, err)
	}
	kept, err := s.Events.Since(t.Context(), "a", 0, 100)
	if err != nil || len(kept) != counted {
		t.Errorf("%d events kept, %v, want %d", len(kept), err, counted)
	}
	p.cut.Store(true)
	if _, err := s.Viewers.PutViewer(t.Context(), "a", upnext.Viewer{ID: upnext.ViewerID{ID: "ann"}}); err == nil {
		t.Error("a viewer whose commit was cut was put without an error")
	}
}

// proxy passes bytes on to a server. While cut is set, the next commit is
// passed on and its answer is not.
type proxy struct {
	listener net.Listener
	cut      atomic.Bool
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				t.Error(err)
				_ = in.Close()
				return
			}
			var lost atomic.Bool
			pass := func(from, to net.Conn, watch bool) {
				b := make([]byte, 64<<10)
				for {
					n, err := from.Read(b)
					if watch && bytes.Contains(bytes.ToLower(b[:n]), []byte("commit\x00")) && p.cut.CompareAndSwap(true, false) {
						lost.Store(true)
					}
					if !watch && lost.Load() { // the server has answered: it has committed
						err = net.ErrClosed
					} else if n > 0 {
						_, _ = to.Write(b[:n])
					}
					if err != nil {
						_, _ = from.Close(), to.Close()
						return
					}
				}
			}
			wg.Go(func() { pass(in, out, true) })
			wg.Go(func() { pass(out, in, false) })
		}
	})
	t.Cleanup(func() { _ = l.Close() })
	return p
}
