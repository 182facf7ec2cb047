// Command upnext is the recommendation backend: one binary that serves,
// ingests, evaluates and shows itself. Each subcommand is a file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	var usage *kong.ParseError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "upnext:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "upnext:", err)
		os.Exit(1)
	}
}

// run is main without the process: results go to stdout, the log and the
// progress bars to stderr. It returns when ctx ends and all is closed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var cli commands
	parser, err := newParser(&cli, stdout, stderr)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	if err := cli.check(); err != nil {
		return err
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(&cli.Settings, console{stdout, stderr})
	return parsed.Run()
}

// console is where a subcommand writes.
type console struct {
	out io.Writer // results
	err io.Writer // log, progress
}
