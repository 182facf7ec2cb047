package main

import (
	"context"
	"errors"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"upnext"
	"upnext/ingest"
)

type ingestCommand struct {
	Source    string `arg:"" optional:"" help:"A folder, a manifest (*.ndjson, *.csv), a MovieLens folder, historical events (*.ndjson, *.ndjson.gz, *.parquet), s3://BUCKET/PREFIX of --s3-sources, or blob:PREFIX in the object store."`
	Format    string `help:"What the source is: auto, folders, ndjson, csv, movielens, events or viewers." enum:"auto,folders,ndjson,csv,movielens,events,viewers" default:"auto"`
	OnMissing string `help:"What becomes of items whose objects have gone: keep, hide or delete." enum:"keep,hide,delete" default:"keep"`

	Bench         int     `help:"Instead of a source: make up N items, import them from the object store, report items a second by stage and the memory, and remove them again. --seed says which." placeholder:"N"`
	BenchPictures float64 `help:"Share of the made-up items that have a picture of their own." default:"0.1" placeholder:"SHARE"`
	BenchKeep     bool    `help:"Leave the made-up items and their objects."`
}

// Run imports in this process, or through the server that has the data
// directory open.
func (c *ingestCommand) Run(ctx context.Context, s *Settings, out console) error {
	if err := c.checkBench(); err != nil {
		return err
	}
	if c.Bench > 0 {
		return c.bench(ctx, s, out)
	}
	if path, err := filepath.Abs(c.Source); err == nil && fileExists(path) {
		c.Source = path
	}
	logger := newLogger(s, out.err)
	e, err := open(ctx, s, logger)
	if errors.Is(err, errLocked) {
		return c.throughServer(ctx, s, out)
	}
	if err != nil {
		return err
	}
	imp, err := c.inProcess(ctx, e, out)
	var failures []upnext.Failure
	if err == nil {
		failures, err = e.store.Imports.Failures(ctx, upnext.DefaultTenant, imp.ID, 0, shownFailures)
	}
	if err = errors.Join(err, e.close()); err != nil {
		return err
	}
	return report(s, out.out, imp, failures)
}

// inProcess runs the workers here until the import has ended.
func (c *ingestCommand) inProcess(ctx context.Context, e *engines, out console) (imp upnext.Import, err error) {
	work, stop := context.WithCancel(ctx)
	group, work := errgroup.WithContext(work)
	group.Go(func() error { return ignoreDone(work, e.importer.Run(work)) })
	group.Go(func() error {
		defer stop()
		imp, err = e.importer.Start(work, upnext.DefaultTenant, ingest.ImportRequest{Source: c.Source, Format: c.Format, OnMissing: upnext.OnMissing(c.OnMissing)})
		if err != nil {
			return err
		}
		b := newBars(out.err)
		defer b.wait()
		imp, err = watchImport(work, e, upnext.DefaultTenant, imp.ID, b)
		return err
	})
	err = group.Wait()
	return imp, err
}
