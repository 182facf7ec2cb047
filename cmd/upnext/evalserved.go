package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"upnext"
	"upnext/train/trials"
)

// served measures a server: the one that is named, or one of a fresh data
// directory that goes with it.
func (c *evalCommand) served(ctx context.Context, s *Settings, out console) (err error) {
	shown := newBars(out.err)
	defer shown.wait()
	url := c.Server
	if url == "" {
		var stop func() error
		if url, stop, err = serveAfresh(ctx, s.Seed, out.err); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	run := trials.Served{URL: url, Seed: s.Seed, Connections: []int{1, 8, 64}, Seconds: 10, Watch: watching(shown)}
	table, err := run.Run(ctx, c.Data)
	if err != nil {
		return err
	}
	if c.Markdown {
		return c.write(s, out, table, table.Markdown)
	}
	return c.write(s, out, table, table.Write)
}

// listening is how a server says where it is.
var listening = regexp.MustCompile(`(?:ready|listening) (http://\S+)`)

// serveAfresh starts this program as a server of its own process, as a user
// would, with nothing in it. stop ends it and removes what it kept.
func serveAfresh(ctx context.Context, seed uint64, errs io.Writer) (url string, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "upnext-eval-")
	if err != nil {
		return "", nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	cmd := exec.CommandContext(ctx, program, "serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--seed", strconv.FormatUint(seed, 10))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay, cmd.Stderr = 10*time.Second, errs
	told, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("start a server: %w", err), os.RemoveAll(dir))
	}
	stop = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()                          // by the signal, which is no news
		return os.RemoveAll(dir)
	}
	for lines := bufio.NewScanner(told); lines.Scan(); {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, told) }()
			return found[1], stop, nil
		}
	}
	return "", nil, errors.Join(fmt.Errorf("the server ended before it listened: %w", upnext.ErrUnavailable), stop())
}
