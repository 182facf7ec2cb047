package ingest_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/index/rabitq"
	"upnext/ingest"
	"upnext/understand/zeroshot"
)

// TestImportRealMovieLens imports MovieLens 1M with its posters by the
// built-in encoders and says how fast, and where the time goes. With -short
// only the first 200 movies, and no ratings.
func TestImportRealMovieLens(t *testing.T) {
	data := os.Getenv("UPNEXT_DATA")
	if data == "" {
		t.Skip("UPNEXT_DATA names no folder of data")
	}
	dir, source := t.TempDir(), filepath.Join(data, "ml-1m")
	if testing.Short() {
		source = beginning(t, source, 200)
	}
	collections, err := rabitq.Open(filepath.Join(dir, "index"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := collections.Close(); err != nil {
			t.Error(err)
		}
	})
	w := openWorld(t, dir, collections)
	text, err := builtin.Text()
	if err != nil {
		t.Fatal(err)
	}
	image, err := builtin.Image()
	if err != nil {
		t.Fatal(err)
	}
	w.Text, w.Image = timed{text, new(spent)}, timed{image, new(spent)}
	if w.Space, err = embed.NewSpace(text.Model(), image.Model(), embed.DefaultTextWeight); err != nil {
		t.Fatal(err)
	}
	if w.Understander, err = zeroshot.New(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	im := w.importer(t)
	for range 2 {
		began := time.Now()
		imp, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: source, Format: ingest.MovieLens})
		if err == nil {
			imp, err = im.Wait(t.Context(), tenant, imp.ID)
		}
		if err != nil || imp.State != upnext.Succeeded || imp.Total == 0 {
			t.Fatalf("import: %+v, %v", imp, err)
		}
		t.Logf("%v: %d items, %d created, %d updated, %d unchanged, %d failed %v, %d events", time.Since(began).Round(time.Millisecond),
			imp.Total, imp.Created, imp.Updated, imp.Unchanged, imp.Failed, imp.Causes, imp.Events)
		for _, s := range imp.Stages {
			t.Logf("  %-11s %7d done %6d failed %10v busy", s.Name, s.Done, s.Failed, s.Busy.Round(time.Millisecond))
		}
		if status, err := os.ReadFile("/proc/self/status"); err == nil {
			for l := range strings.Lines(string(status)) {
				if strings.HasPrefix(l, "VmHWM") || strings.HasPrefix(l, "RssAnon") {
					t.Logf("  %s", strings.TrimSpace(l))
				}
			}
		}
		t.Logf("  encoded so far: %+v, text %v, image %v", w.Encoded(), w.Text.(timed).total(), w.Image.(timed).total())
	}
}

// beginning copies the first movies of a folder, without the ratings.
func beginning(t *testing.T, from string, lines int) string {
	to := t.TempDir()
	for _, name := range []string{"movies.dat", "movies_extrainfos.dat.gz", "posters_w180.tar"} {
		in, err := os.Open(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		if name == "movies.dat" {
			data = []byte(strings.Join(strings.SplitAfter(string(data), "\n")[:lines], ""))
		}
		write(t, to, map[string]string{name: string(data)})
	}
	return to
}

// timed keeps the time spent in an encoder, over all who call it.
type timed struct {
	embed.Embedder
	*spent
}

type spent struct{ nanos atomic.Int64 }

func (s *spent) total() time.Duration { return time.Duration(s.nanos.Load()).Round(time.Millisecond) }

func (e timed) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	began := time.Now()
	defer func() { e.nanos.Add(int64(time.Since(began))) }()
	return e.Embedder.Embed(ctx, inputs...)
}
