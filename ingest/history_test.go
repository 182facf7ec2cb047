package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"upnext"
	"upnext/infra/jobs"
	"upnext/ingest"
)

// all returns every event that the store has, by its sequence.
func all(t testing.TB, w *world) []upnext.Event {
	t.Helper()
	events, err := w.store.Events.Since(t.Context(), tenant, 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		events[i].Seq, events[i].ReceivedAt = 0, time.Time{}
	}
	return events
}

const someEvents = `{"id":"e1","kind":"like","at":"2019-03-04T05:06:07Z","user_id":"u1","item_id":"a"}

{"kind":"progress","at":"2020-01-01T00:00:00.5Z","anonymous_id":"x","item_id":"b","watch":{"watched_ms":1500,"duration_ms":9000},"context":{"n":1}}
{"kind":"rate","at":"2020-01-01T00:00:00Z","user_id":"u1","item_id":"b"}
not JSON
{"id":"e2","kind":"rate","at":"2999-01-01T00:00:00Z","user_id":"u1","item_id":"b","value":0.5}
{"id":"e3","kind":"search","at":"2021-01-01T00:00:00+02:00","user_id":"u2","query":"bread"}
`

func TestImportEvents(t *testing.T) {
	w := newWorld(t)
	im := w.importer(t)
	root := t.TempDir()
	write(t, root, map[string]string{"past.ndjson": someEvents})
	imp := bring(t, im, ingest.ImportRequest{Source: filepath.Join(root, "past.ndjson")})
	if imp.State != upnext.Succeeded || imp.Format != ingest.Events || imp.Events != 3 || imp.Failed != 3 ||
		imp.Causes["syntax"] != 1 || imp.Causes["invalid"] != 2 {
		t.Fatalf("import: %+v, want 3 events, 1 syntax, 2 invalid", imp)
	}
	want := []string{"events invalid past.ndjson:4", "events syntax past.ndjson:5", "events invalid past.ndjson:6"}
	if got := failures(t, w, imp.ID); !slices.Equal(got, want) {
		t.Errorf("dead letters %v, want %v", got, want)
	}
	events := all(t, w)
	if len(events) != 3 || events[0].At.Year() != 2019 || !strings.HasPrefix(string(events[1].ID), "content:") ||
		events[1].Watch.Watched != 1500*time.Millisecond || !events[2].At.Equal(time.Date(2020, 12, 31, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("events %+v, want those of the file with their times", events)
	}
	again := bring(t, im, ingest.ImportRequest{Source: filepath.Join(root, "past.ndjson")})
	if again.Events != 3 || again.Failed != 3 || again.Causes["invalid"] != 2 || len(all(t, w)) != 3 {
		t.Errorf("again: %+v and %d events, want the same counts and no event twice", again, len(all(t, w)))
	}
	// Another file with the same lines: nothing counts twice, ids or not.
	write(t, root, map[string]string{"more/copy.ndjson.gz": zipped(t, someEvents), "more/notes.txt": "not events"})
	copied := bring(t, im, ingest.ImportRequest{Source: filepath.Join(root, "more"), Format: ingest.Events, OnMissing: upnext.DeleteMissing})
	if copied.Events != 3 || copied.Failed != 3 || len(all(t, w)) != 3 {
		t.Errorf("a copy: %+v and %d events, want no event twice", copied, len(all(t, w)))
	}
}

// pastRow is an event in the columns of a Parquet file.
type pastRow struct {
	ID        *string   `parquet:"id,optional"`
	Kind      string    `parquet:"kind"`
	At        time.Time `parquet:"at,timestamp(millisecond)"`
	User      int64     `parquet:"user_id"`
	Item      string    `parquet:"item_id,dict"`
	Value     *float32  `parquet:"value,optional"`
	WatchedMS *int32    `parquet:"watched_ms,optional"`
	Context   string    `parquet:"context"`
}

func parquetOf[T any](t testing.TB, rows []T, perGroup int64) string {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[T](&out, parquet.MaxRowsPerRowGroup(perGroup))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestImportParquet(t *testing.T) {
	w := newWorld(t)
	im := w.importer(t)
	root := t.TempDir()
	half, watched := float32(.5), int32(1500)
	rows := []pastRow{
		{Kind: "rate", At: time.Date(2019, 3, 4, 5, 6, 7, 8e6, time.UTC), User: 7, Item: "a", Value: &half},
		{Kind: "progress", At: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), User: 7, Item: "b", WatchedMS: &watched, Context: `{"tv":true}`},
		{Kind: "no such kind", At: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), User: 8, Item: "b", Context: "{}"},
	}
	rows[0].Context = "{}"
	write(t, root, map[string]string{
		"past.parquet": parquetOf(t, rows, 2),
		"same.ndjson": `{"kind":"rate","at":"2019-03-04T05:06:07.008Z","user_id":"7","item_id":"a","value":0.5,"context":{}}
{"kind":"progress","at":"2020-01-01T00:00:00Z","user_id":"7","item_id":"b","watch":{"watched_ms":1500},"context":{"tv":true}}
`})
	imp := bring(t, im, ingest.ImportRequest{Source: filepath.Join(root, "past.parquet")})
	if imp.State != upnext.Succeeded || imp.Events != 2 || imp.Failed != 1 {
		t.Fatalf("import: %+v, want 2 events and 1 failed", imp)
	}
	if got, want := failures(t, w, imp.ID), []string{"events invalid past.parquet:3"}; !slices.Equal(got, want) {
		t.Errorf("dead letters %v, want %v", got, want)
	}
	fromParquet := all(t, w)
	other := newWorld(t)
	bring(t, other.importer(t), ingest.ImportRequest{Source: filepath.Join(root, "same.ndjson")})
	if got := all(t, other); !reflect.DeepEqual(got, fromParquet) {
		t.Errorf("from NDJSON:\n%+v, want what came from Parquet:\n%+v", got, fromParquet)
	}
}

func TestImportParquetTimes(t *testing.T) {
	type seconds struct {
		Kind string `parquet:"kind"`
		At   int64  `parquet:"at"`
		User string `parquet:"user_id"`
		Item string `parquet:"item_id"`
	}
	type floats struct {
		Kind string  `parquet:"kind"`
		At   float64 `parquet:"at"`
		User string  `parquet:"user_id"`
		Item string  `parquet:"item_id"`
	}
	type texts struct {
		Kind string `parquet:"kind"`
		At   string `parquet:"at"`
		User string `parquet:"user_id"`
		Item string `parquet:"item_id"`
	}
	want := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, file := range map[string]string{
		"seconds":      parquetOf(t, []seconds{{"like", want.Unix(), "u", "i"}}, 9),
		"milliseconds": parquetOf(t, []seconds{{"like", want.UnixMilli(), "u", "i"}}, 9),
		"microseconds": parquetOf(t, []seconds{{"like", want.UnixMicro(), "u", "i"}}, 9),
		"nanoseconds":  parquetOf(t, []seconds{{"like", want.UnixNano(), "u", "i"}}, 9),
		"floats":       parquetOf(t, []floats{{"like", float64(want.Unix()), "u", "i"}}, 9),
		"texts":        parquetOf(t, []texts{{"like", want.Format(time.RFC3339), "u", "i"}}, 9),
	} {
		w := newWorld(t)
		root := t.TempDir()
		write(t, root, map[string]string{"past.parquet": file})
		bring(t, w.importer(t), ingest.ImportRequest{Source: filepath.Join(root, "past.parquet")})
		if events := all(t, w); len(events) != 1 || !events[0].At.Equal(want) {
			t.Errorf("%s: %+v, want one event at %s", name, events, want)
		}
	}
}

// TestImportParquetRefused: what a file lacks, or has too much, is said; a
// damaged one does not end the process.
func TestImportParquetRefused(t *testing.T) {
	type noUser struct {
		Kind string `parquet:"kind"`
		At   int64  `parquet:"at"`
	}
	type extra struct {
		Kind string `parquet:"kind"`
		At   int64  `parquet:"at"`
		User string `parquet:"user_id"`
		Mood string `parquet:"mood"`
	}
	whole := parquetOf(t, []pastRow{{Kind: "like", At: time.Unix(1e9, 0), User: 1, Item: "i", Context: "{}"}}, 9)
	w := newWorld(t)
	im := w.importer(t)
	for file, want := range map[string]string{
		parquetOf(t, []noUser{{"like", 1}}, 9):             "no column user_id",
		parquetOf(t, []extra{{"like", 1, "u", "glad"}}, 9): "column mood: an event has no such field",
		"PAR1 nothing": "past.parquet",
		whole[:len(whole)/2] + strings.Repeat("\xff", 40) + whole[len(whole)/2+40:]: "past.parquet",
	} {
		root := t.TempDir()
		write(t, root, map[string]string{"past.parquet": file})
		imp := bring(t, im, ingest.ImportRequest{Source: filepath.Join(root, "past.parquet")})
		if imp.State != upnext.Broken || !strings.Contains(imp.Error, want) {
			t.Errorf("import ended %s: %q, want failed: %s", imp.State, imp.Error, want)
		}
	}
	_, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: t.TempDir(), Format: ingest.Events})
	if !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a folder without events: %v, want an ErrInvalid", err)
	}
}

// stopping is an upnext.Events whose engine is away after so many calls.
type stopping struct {
	upnext.Events
	left atomic.Int64
}

func stopAfter(events upnext.Events, calls int64) *stopping {
	s := &stopping{Events: events}
	s.left.Store(calls)
	return s
}

func (s *stopping) Append(ctx context.Context, t upnext.Tenant, events ...upnext.Event) ([]upnext.Appended, error) {
	if s.left.Add(-1) < 0 {
		return nil, fmt.Errorf("away: %w", upnext.ErrUnavailable)
	}
	return s.Events.Append(ctx, t, events...)
}

// TestImportEventsGoesOn stops an import of 50,000 lines in the middle, as a
// crash would: the next process goes on from where it was, and all is counted
// once, the lines that cannot be read too.
func TestImportEventsGoesOn(t *testing.T) {
	const lines = 50_000
	var text strings.Builder
	for i := range lines {
		if i%1000 == 7 {
			text.WriteString("broken\n")
			continue
		}
		fmt.Fprintf(&text, `{"kind":"view","at":"2020-01-01T00:00:00Z","user_id":"u%d","item_id":"i%d"}`+"\n", i%97, i)
	}
	w := newWorld(t)
	root := t.TempDir()
	write(t, root, map[string]string{"past.ndjson": text.String()})
	source := ingest.ImportRequest{Source: filepath.Join(root, "past.ndjson")}

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	first := stopAfter(w.store.Events, 7)
	id := runUntilStopped(ctx, t, w, first, source)
	if n := len(all(t, w)); n == 0 || n == lines {
		t.Fatalf("%d events after the stop, want some and not all", n)
	}
	second := stopAfter(w.store.Events, 1000)
	im := importerWith(ctx, t, w, second)
	imp, err := im.Wait(ctx, tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	if imp.State != upnext.Succeeded || imp.Events != lines*999/1000 || imp.Failed != lines/1000 || imp.Causes["syntax"] != lines/1000 {
		t.Errorf("import: %+v, want %d events and %d failed", imp, lines*999/1000, lines/1000)
	}
	if n := len(all(t, w)); n != lines*999/1000 {
		t.Errorf("%d events, want %d", n, lines*999/1000)
	}
	if calls := 1000 - second.left.Load(); calls > 9 {
		t.Errorf("the second process appended %d times, want no more than what was left", calls)
	}
}

func runUntilStopped(ctx context.Context, t *testing.T, w *world, events *stopping, req ingest.ImportRequest) upnext.ImportID {
	t.Helper()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	queue, err := jobs.Open(ctx, "sqlite:"+filepath.Join(w.path, "jobs.db"), w.Logger)
	if err != nil {
		t.Fatal(err)
	}
	im, err := ingest.NewImporter(ingest.ImporterConfig{Pipeline: w.Pipeline, Imports: w.store.Imports, Events: events, Queue: queue})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- im.Run(ctx) }()
	imp, err := im.Start(ctx, tenant, req)
	if err != nil {
		t.Fatal(err)
	}
	for events.left.Load() >= 0 {
		select {
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	stop()
	if err := errors.Join(<-ran, queue.Close()); err != nil {
		t.Fatal(err)
	}
	return imp.ID
}

func importerWith(ctx context.Context, t *testing.T, w *world, events upnext.Events) *ingest.Importer {
	t.Helper()
	queue, err := jobs.Open(ctx, "sqlite:"+filepath.Join(w.path, "jobs.db"), w.Logger)
	if err != nil {
		t.Fatal(err)
	}
	im, err := ingest.NewImporter(ingest.ImporterConfig{Pipeline: w.Pipeline, Imports: w.store.Imports, Events: events, Queue: queue})
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- im.Run(run) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ran, queue.Close()); err != nil {
			t.Error(err)
		}
	})
	return im
}

func TestImportViewers(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	write(t, root, map[string]string{"viewers.ndjson": `{"user_id":"u1","locale":"de","birth_year":1990,"attributes":{"plan":"gold","kids":2}}
{"anonymous_id":"x","region":"DE"}
{"user_id":"u2","attributes":{"kids":"two"}}
{"user_id":"u3","birth_year":12}
`})
	imp := bring(t, w.importer(t), ingest.ImportRequest{Source: filepath.Join(root, "viewers.ndjson"), Format: ingest.Viewers})
	if imp.State != upnext.Succeeded || imp.Events != 2 || imp.Causes["invalid"] != 2 {
		t.Fatalf("import: %+v, want 2 taken and 2 invalid", imp)
	}
	v, err := w.store.Viewers.Viewer(t.Context(), tenant, upnext.ViewerID{ID: "u1"})
	if err != nil || v.Locale != "de" || v.BirthYear != 1990 || v.Attributes["kids"] != 2.0 || v.Attributes["plan"] != "gold" {
		t.Errorf("u1: %+v, %v", v, err)
	}
	schema, err := w.store.Schemas.Schema(t.Context(), tenant, "users")
	if err != nil || schema.Check(v.Attributes) != nil {
		t.Errorf("schema %v, %v, want one that has the attributes", schema, err)
	}
}
