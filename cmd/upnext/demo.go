package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"upnext"
	"upnext/cmd/upnext/demo"
	"upnext/ingest"
)

type demoCommand struct {
	RepairIndex bool `help:"Move collections of the index that are damaged aside, and fill them again."`

	Movielens bool   `help:"Use a MovieLens folder instead of the bundled catalogue: DIR, or the small set, downloaded from its makers."`
	Dir       string `arg:"" optional:"" help:"The MovieLens folder." type:"existingdir"`
}

// demoSource is where the bundled catalogue lies in the object store.
const demoSource = string(upnext.DefaultTenant) + "/demo/"

// Run fills the data directory through the real path, the first time, and serves.
func (c *demoCommand) Run(ctx context.Context, s *Settings, out console) error {
	if c.Dir != "" && !c.Movielens {
		return fmt.Errorf("demo %s: a folder goes with --movielens: %w", c.Dir, upnext.ErrInvalid)
	}
	set := "demo"
	if c.Movielens {
		set = "demo-movielens"
	}
	own := *s
	own.DataDir = filepath.Join(s.DataDir, set)
	if own.Log == "info" {
		own.Log = "warn" // the progress bars have the screen
	}
	logger := newLogger(&own, out.err)
	start := time.Now()
	if c.RepairIndex {
		if err := repairIndex(&own, logger); err != nil {
			return err
		}
	}
	e, err := open(ctx, &own, logger)
	if err != nil {
		return err
	}
	seed := &seeding{engines: e, command: c, out: out, bars: newBars(out.err)}
	srv, err := newServer(ctx, e, map[string]http.Handler{"GET /demo/viewers.json": seed})
	if err != nil {
		return errors.Join(err, e.close())
	}
	return srv.run(ctx, func(ctx context.Context) error {
		if err := seed.fill(ctx); err != nil {
			return err
		}
		if err := srv.waitReady(ctx); err != nil {
			return err
		}
		seed.bars.wait()
		fmt.Fprintf(out.out, "ready %s  (%.1f s)\n", srv.url, time.Since(start).Seconds())
		return nil
	})
}

// seeding fills an empty data directory with the demo's catalogue and history.
type seeding struct {
	*engines
	command *demoCommand
	out     console
	bars    *bars
}

// fill does what has not been done in this data directory. Each step may be
// repeated: objects and events are the same again, an import skips what it has.
func (d *seeding) fill(ctx context.Context) error {
	done := filepath.Join(d.settings.DataDir, "demo.done")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if d.command.Movielens {
		if err := d.fillMovieLens(ctx); err != nil {
			return err
		}
	} else if err := d.fillBundled(ctx); err != nil {
		return err
	}
	return os.WriteFile(done, []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o600)
}

func (d *seeding) fillBundled(ctx context.Context) error {
	items, err := demo.Items()
	if err != nil {
		return err
	}
	now := d.settings.now()
	bar := d.bars.add("writing objects", int64(len(items)))
	if err := demo.Write(ctx, d.blobs, demoSource, now, bar.step); err != nil {
		return err
	}
	if err := d.runImport(ctx, ingest.ImportRequest{Source: "blob:" + demoSource}); err != nil {
		return err
	}
	_, events, err := demo.Viewers(d.settings.Seed, now)
	if err != nil {
		return err
	}
	bar = d.bars.add("simulated viewers' events", int64(len(events)))
	const batch = 500
	for len(events) > 0 {
		n := min(batch, len(events))
		if _, err := d.recommend.Feedback(ctx, upnext.DefaultTenant, events[:n]...); err != nil {
			return fmt.Errorf("simulated events: %w", err)
		}
		bar.add(int64(n))
		events = events[n:]
	}
	return nil
}

func (d *seeding) fillMovieLens(ctx context.Context) error {
	dir := d.command.Dir
	if dir == "" {
		var err error
		if dir, err = fetchMovieLens(ctx, smallMovieLens, filepath.Join(d.settings.DataDir, "download"), d.bars); err != nil {
			return err
		}
	}
	return d.runImport(ctx, ingest.ImportRequest{Source: dir, Format: "movielens"})
}

// runImport runs one import to its end and shows its progress.
func (d *seeding) runImport(ctx context.Context, req ingest.ImportRequest) error {
	imp, err := d.importer.Start(ctx, upnext.DefaultTenant, req)
	if err != nil {
		return err
	}
	imp, err = watchImport(ctx, d.engines, upnext.DefaultTenant, imp.ID, d.bars)
	if err != nil {
		return err
	}
	if imp.State != upnext.Succeeded {
		return fmt.Errorf("import of %s ended %s: %s", imp.Source, imp.State, imp.Error)
	}
	return nil
}

// ServeHTTP answers with the simulated viewers that the page may be.
func (d *seeding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.command.Movielens {
		http.NotFound(w, r)
		return
	}
	viewers, _, err := demo.Viewers(d.settings.Seed, d.settings.now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(viewers) // a caller who leaves is no error
}
