package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// childArgs is the variable that makes this test's binary an upnext: its value
// is the command line as a JSON list.
const childArgs = "UPNEXT_TEST_ARGS"

// runChild is main of a process that spawn started.
func runChild() int {
	var args []string
	if err := json.Unmarshal([]byte(os.Getenv(childArgs)), &args); err != nil {
		panic(err)
	}
	return runAs(args)
}

// runAs is main with a command line.
func runAs(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, args, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "upnext:", err)
		return 1
	}
	return 0
}

// process is an upnext in a process of its own, which can be killed.
type process struct {
	started
	cmd   *exec.Cmd
	ended chan error
}

// command returns the process that spawn starts, not yet started.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	line, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childArgs+"="+string(line))
	cmd.Stderr = t.Output()
	return cmd
}

// spawn starts a server as a process and waits for its address. The test's end
// kills it.
func spawn(t testing.TB, args ...string) *process {
	t.Helper()
	out := &lines{want: listening, found: make(chan string, 1)}
	found := out.found
	p := &process{started: started{t: t}, cmd: command(t, append(args, "--listen", "127.0.0.1:0")...), ended: make(chan error, 1)}
	p.cmd.Stdout = out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(p.kill)
	select {
	case p.url = <-found:
	case err := <-p.ended:
		p.ended <- err
		t.Fatalf("%v ended at once with %v", args, err)
	case <-time.After(2 * time.Minute):
		t.Fatalf("%v does not listen after 2 minutes", args)
	}
	return p
}

// kill ends the process as kill -9 does, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	err := <-p.ended
	p.ended <- err
}
