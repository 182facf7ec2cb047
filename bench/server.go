package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"upnext"
)

// Server is a server under test: a process that this one has started.
type Server struct {
	URL   string
	PID   int
	Ready time.Duration // from its start to the first /readyz that says so

	cmd    *exec.Cmd
	client *http.Client
	ended  chan error
}

// How long a server may take until it is ready, how often it is asked whether it
// is, and how long it may take to end.
const (
	startPatience = 10 * time.Minute
	askReady      = 2 * time.Millisecond
	stopPatience  = 30 * time.Second
)

// Start starts the process and returns once it says that it is ready. The
// command must print "listening URL" as upnext serve does. One that does not get
// so far is killed.
func Start(ctx context.Context, cmd *exec.Cmd) (_ *Server, err error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	s := &Server{PID: cmd.Process.Pid, cmd: cmd, ended: make(chan error, 1), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	listening := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if url, ok := strings.CutPrefix(lines.Text(), "listening "); ok && len(listening) == 0 {
				listening <- url
			}
		}
		s.ended <- cmd.Wait()
	}()
	defer func() {
		if err != nil {
			_ = cmd.Process.Kill() // it may have ended
		}
	}()
	for tick := time.NewTicker(askReady); ; {
		select {
		case s.URL = <-listening:
		case err := <-s.ended:
			return nil, fmt.Errorf("the server ended before it was ready: %w", errors.Join(err, upnext.ErrUnavailable))
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the server: %w", ctx.Err())
		case <-tick.C:
			if s.URL == "" {
				continue
			}
			if _, err := s.call(ctx, http.MethodGet, "/readyz", nil); err == nil {
				s.Ready = time.Since(began)
				tick.Stop()
				return s, nil
			}
		}
	}
}

// Stop asks the process to end and waits for it; one that does not is killed.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			return fmt.Errorf("stop the server: %w", err)
		}
		return nil
	case <-time.After(stopPatience):
		return errors.Join(fmt.Errorf("the server does not end within %s: %w", stopPatience, upnext.ErrUnavailable), s.cmd.Process.Kill())
	}
}

// refusal is the status and the code of a problem: what can be counted, without
// what is of this request alone.
func refusal(status int, body []byte) string {
	var problem struct{ Code string }
	if json.Unmarshal(body, &problem) != nil || problem.Code == "" {
		return strconv.Itoa(status)
	}
	return strconv.Itoa(status) + " " + problem.Code
}

// call sends JSON and returns what is answered; a status of 300 or more is an
// ErrUnavailable with the problem's code.
func (s *Server) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	reply, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	answer, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: %s: %w", method, refusal(reply.StatusCode, answer), upnext.ErrUnavailable)
	}
	return answer, err
}
