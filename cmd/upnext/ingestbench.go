package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"upnext"
	"upnext/bench"
	"upnext/ingest"
)

// benchTenant owns what a benchmark imports: no viewer of another tenant is
// recommended a made-up item.
const benchTenant = upnext.Tenant("bench")

// cleanUp is how long a benchmark that was interrupted cleans up.
const cleanUp = time.Minute

// checkBench reports flags that contradict each other.
func (c *ingestCommand) checkBench() error {
	switch {
	case c.Bench < 0:
		return fmt.Errorf("--bench %d: negative: %w", c.Bench, upnext.ErrInvalid)
	case c.Bench == 0 && c.Source == "":
		return fmt.Errorf("ingest: neither a source nor --bench N: %w", upnext.ErrInvalid)
	case c.Bench > 0 && c.Source != "":
		return fmt.Errorf("ingest %s: a source goes without --bench: %w", c.Source, upnext.ErrInvalid)
	case !(c.BenchPictures >= 0 && c.BenchPictures <= 1):
		return fmt.Errorf("--bench-pictures %v: a share from 0 to 1: %w", c.BenchPictures, upnext.ErrInvalid)
	}
	return nil
}

// bench imports made-up items from the object store, as any import does: other
// processes that share the database take their part of the batches.
func (c *ingestCommand) bench(ctx context.Context, s *Settings, out console) error {
	e, err := open(ctx, s, newLogger(s, out.err))
	if errors.Is(err, errLocked) {
		return fmt.Errorf("--bench: %w: stop it, or name another --data-dir", err)
	}
	if err != nil {
		return err
	}
	b := &benchRun{engines: e, bars: newBars(out.err), made: synthetic{
		seed: s.Seed, items: c.Bench, pictures: c.BenchPictures, prefix: fmt.Sprintf("%s/bench-%d-%d/", benchTenant, s.Seed, c.Bench),
	}}
	err = b.run(ctx)
	if !c.BenchKeep {
		last, cancel := context.WithCancel(ctx)
		if ctx.Err() != nil {
			last, cancel = context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
		}
		err = errors.Join(err, b.clear(last))
		cancel()
	}
	b.bars.wait()
	if err = errors.Join(err, e.close()); err != nil {
		return fmt.Errorf("benchmark of %s: %w", b.made.prefix, err)
	}
	return b.report(s, out.out)
}

// benchRun is one benchmark.
type benchRun struct {
	*engines
	made    synthetic
	bars    *bars
	writing time.Duration
	imp     upnext.Import
	samples []bench.Memory // while it imported
}

// run writes the objects and imports them.
func (b *benchRun) run(ctx context.Context) error {
	began := time.Now()
	bar := b.bars.add("writing objects", int64(b.made.items))
	if err := b.made.write(ctx, b.blobs, bar.step); err != nil {
		return err
	}
	b.writing = time.Since(began)
	work, stop := context.WithCancel(ctx)
	group, work := errgroup.WithContext(work)
	group.Go(func() error { return ignoreDone(work, b.importer.Run(work)) })
	group.Go(func() error { b.samples = watchMemory(work); return nil })
	group.Go(func() error {
		defer stop()
		return b.importAll(work)
	})
	return group.Wait()
}

// importAll runs the import to its end. One that is interrupted is cancelled:
// its objects are about to go, and no other process shall look for them.
func (b *benchRun) importAll(ctx context.Context) (err error) {
	b.imp, err = b.importer.Start(ctx, benchTenant, ingest.ImportRequest{Source: "blob:" + b.made.prefix, Format: ingest.NDJSON})
	if err != nil {
		return err
	}
	id := b.imp.ID
	if b.imp, err = watchImport(ctx, b.engines, benchTenant, id, b.bars); err == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	_, cancelled := b.importer.Cancel(last, benchTenant, id)
	return errors.Join(err, cancelled)
}

// clear removes the items and their objects.
func (b *benchRun) clear(ctx context.Context) error {
	ids := make([]upnext.ItemID, 0, linesAtOnce)
	var failed error
	for n := 0; n < b.made.items && failed == nil; n++ {
		if ids = append(ids, upnext.ItemID(b.made.id(n))); len(ids) == cap(ids) || n+1 == b.made.items {
			_, failed = b.pipeline.Delete(ctx, benchTenant, ids...)
			ids = ids[:0]
		}
	}
	return errors.Join(failed, b.made.remove(ctx, b.blobs))
}

// stageSpeed is what a stage did, over all workers of all processes.
type stageSpeed struct {
	Name      string  `json:"name"`
	Done      int64   `json:"done"`
	Failed    int64   `json:"failed"`
	BusyMS    int64   `json:"busy_ms"`
	PerSecond float64 `json:"items_per_busy_second"` // of one worker
}

func stageSpeeds(stages []upnext.Stage) []stageSpeed {
	speeds := make([]stageSpeed, len(stages))
	for i, s := range stages {
		speeds[i] = stageSpeed{s.Name, s.Done, s.Failed, s.Busy.Milliseconds(), 0}
		if s.Busy > 0 {
			speeds[i].PerSecond = float64(s.Done) / s.Busy.Seconds()
		}
	}
	return speeds
}

// report prints what was measured. Items that were there already say so: they
// cost nothing, and the figures are none.
func (b *benchRun) report(s *Settings, w io.Writer) error {
	imp, mem := b.imp, thirdsOf(b.samples)
	seconds := imp.EndedAt.Sub(imp.StartedAt).Seconds()
	rate := float64(imp.Created+imp.Updated+imp.Unchanged) / max(seconds, 1e-9)
	speeds := stageSpeeds(imp.Stages)
	if s.JSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{
			"id": imp.ID, "source": imp.Source, "state": imp.State, "error": imp.Error, "total": imp.Total, "created": imp.Created, "updated": imp.Updated,
			"unchanged": imp.Unchanged, "failed": imp.Failed, "causes": imp.Causes, "pictures": b.made.pictures, "writing_seconds": b.writing.Seconds(),
			"seconds": seconds, "items_per_second": rate, "stages": speeds, "memory": mem,
		}); err != nil {
			return err
		}
	} else {
		printf(w, "%s: %d items in %.1f s: %.0f items/s; %d created, %d updated, %d unchanged, %d failed (objects written in %.1f s)\n",
			imp.State, imp.Total, seconds, rate, imp.Created, imp.Updated, imp.Unchanged, imp.Failed, b.writing.Seconds())
		for _, st := range speeds {
			printf(w, "  %-12s %8d done %8d failed %9d ms busy %9.0f items per busy second\n", st.Name, st.Done, st.Failed, st.BusyMS, st.PerSecond)
		}
		printMemory(w, mem)
	}
	if imp.State != upnext.Succeeded {
		return fmt.Errorf("import %s ended %s: %s", imp.ID, imp.State, imp.Error)
	}
	return nil
}

func printMemory(w io.Writer, t *thirds) {
	if t == nil {
		printf(w, "  memory: this system does not tell\n")
		return
	}
	mib := func(s spread) string {
		return fmt.Sprintf("%d/%d/%d MiB", s.Min>>20, s.Median>>20, s.Max>>20)
	}
	printf(w, "  memory (min/median/max of %d samples): resident %s in the first third, %s in the last; anonymous %s, %s\n",
		t.Samples, mib(t.Resident[0]), mib(t.Resident[1]), mib(t.Anonymous[0]), mib(t.Anonymous[1]))
}
