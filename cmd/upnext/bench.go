package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"upnext"
	"upnext/bench"
	"upnext/serve"
)

type benchCommand struct {
	Items    int           `help:"Items of the made-up catalogue." default:"100000"`
	Users    int           `help:"Viewers, each with some thirty events." default:"20000"`
	For      time.Duration `help:"How long the load lasts; each step to saturation takes a sixth of it." default:"60s"`
	Requests float64       `help:"Recommendations asked for a second; 0 is what the targets say: 400, 150 from 300,000 items on." default:"0"`
	Events   float64       `help:"Events a second beside them." default:"500"`
	Upserts  float64       `help:"Items put a second beside them." default:"10"`
	Models   []string      `help:"Models trained before, as of upnext train. Default: those that take minutes." placeholder:"NAME"`
	Keep     string        `help:"Folder in which the filled and trained world is kept for the next run with equal items, users, seed and models. Default: a temporary one." type:"path" placeholder:"DIR"`
	File     string        `arg:"" optional:"" help:"The figures as JSON go to this file, beside the table: --json FILE. With --json alone they go to stdout in its place." type:"path"`
}

// Run measures this program as its users meet it: a server in a process of its
// own, on a data directory that is filled for it, loaded over HTTP. Settings of
// the environment do not reach it.
func (c *benchCommand) Run(ctx context.Context, s *Settings, out console) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "upnext-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	place := benchPlace{command: c, seed: s.Seed, root: c.Keep, out: out, bars: newBars(out.err)}
	defer place.bars.wait()
	if place.root == "" {
		place.root = filepath.Join(temporary, "world")
	}
	if err := place.make(ctx); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	report, err := c.measure(ctx, &place, filepath.Join(temporary, "data"), out)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return c.write(report, s, out)
}

// check reports flags that make no bench.
func (c *benchCommand) check() error {
	switch {
	case c.Items < 1 || c.Items > 9_999_999:
		return fmt.Errorf("--items %d: from 1 to 9,999,999: %w", c.Items, upnext.ErrInvalid)
	case c.Users < 1 || c.Users > 999_999:
		return fmt.Errorf("--users %d: from 1 to 999,999: %w", c.Users, upnext.ErrInvalid)
	case c.For < time.Second:
		return fmt.Errorf("--for %s: at least 1s: %w", c.For, upnext.ErrInvalid)
	case !(c.Requests >= 0 && c.Events >= 0 && c.Upserts >= 0 && c.Requests+c.Events+c.Upserts <= 1e5):
		return fmt.Errorf("--requests %v, --events %v, --upserts %v: not below 0, together at most 1e5: %w", c.Requests, c.Events, c.Upserts, upnext.ErrInvalid)
	}
	return nil
}

// measure serves a copy of the place and loads it.
func (c *benchCommand) measure(ctx context.Context, place *benchPlace, dir string, out console) (bench.Report, error) {
	if c.Keep == "" {
		dir = place.data()
	} else if err := os.CopyFS(dir, os.DirFS(place.data())); err != nil { // what the load writes shall not be there the next time
		return bench.Report{}, err
	}
	debug, err := freeAddress(ctx)
	if err != nil {
		return bench.Report{}, err
	}
	server, err := ownCommand(ctx, out.err, "serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--log", "warn",
		"--seed", strconv.FormatUint(place.seed, 10), "--debug-listen", debug)
	if err != nil {
		return bench.Report{}, err
	}
	load := bench.Load{Requests: c.Requests, Events: c.Events, Items: c.Upserts}
	if load.Requests == 0 {
		load.Requests = bench.TargetsFor(c.Items).Load.Requests
	}
	b := bench.Bench{
		World: place.world, Load: load, During: c.For, Sources: sourceNames(), Server: server, Debug: "http://" + debug,
		Watch: func(step string) { printf(out.err, "bench: %s\n", step) },
	}
	report, err := b.Run(ctx)
	place.tell(&report)
	return report, err
}

// sourceNames are those of a page.
func sourceNames() (names []string) {
	for _, s := range serve.DefaultSources().Page {
		names = append(names, s.Name())
	}
	return names
}

// write shows the report and writes it where it was asked to be.
func (c *benchCommand) write(report bench.Report, s *Settings, out console) error {
	encode := func(w io.Writer) error {
		lines := json.NewEncoder(w)
		lines.SetIndent("", "  ")
		return lines.Encode(report)
	}
	if c.File != "" {
		if err := replaceFile(c.File, encode); err != nil {
			return err
		}
	} else if s.JSON {
		return encode(out.out)
	}
	return report.Write(out.out)
}

// ownCommand is this program in a process of its own, which ends with ctx. It
// goes by its arguments alone: settings of the environment are kept from it.
func ownCommand(ctx context.Context, errs io.Writer, args ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay, cmd.Stderr = 10*time.Second, errs
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "UPNEXT_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd, nil
}

// freeAddress is a loopback address that nobody listens on just now.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
