package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/index"
	"upnext/infra/enginetest"
	"upnext/infra/jobs"
	"upnext/infra/sqlstore"
	"upnext/ingest"
)

// site is what several workers share: a schema of the database, which jobs are
// in too, and a folder of objects.
type site struct {
	t      testing.TB
	url    string
	schema string
	path   string
	conn   *pgx.Conn
}

func newSite(t testing.TB) *site {
	t.Helper()
	base := enginetest.URL(t, "UPNEXT_TEST_POSTGRES")
	conn, err := pgx.Connect(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, schema: "imp_" + strings.ToLower(ulid.Make().String()), path: t.TempDir(), conn: conn}
	if _, err := conn.Exec(t.Context(), `CREATE SCHEMA "`+s.schema+`"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_, err := conn.Exec(ctx, `SET client_min_messages TO warning; DROP SCHEMA IF EXISTS "`+s.schema+`", "`+s.schema+`_river" CASCADE`)
		if err := errors.Join(err, conn.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", s.schema)
	u.RawQuery = q.Encode()
	s.url = u.String()
	return s
}

// worker is one process's worth of an import's workers.
type worker struct {
	*world
	im    *ingest.Importer
	queue *jobs.Queue
}

// openWorker opens all that a worker has of its own, connections and locks too.
func openWorker(t testing.TB, database, path string, collections index.Collections) *worker {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	store, err := sqlstore.Open(context.Background(), database, logger)
	if err != nil {
		t.Fatal(err)
	}
	queue, err := jobs.Open(context.Background(), database, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(queue.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	w := &worker{world: newWorldOf(t, path, store, collections), queue: queue}
	w.OnChange, w.Locks = nil, store.Locks
	w.im, err = ingest.NewImporter(ingest.ImporterConfig{
		Pipeline: w.Pipeline, Imports: store.Imports, Events: store.Events, Viewers: store.Viewers, Queue: queue, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run works until the test's end.
func (w *worker) run(t testing.TB) {
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- w.im.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

// manifest writes a source of n lines, each 50th of which is broken.
func (s *site) manifest(n int) (source string, broken int64) {
	var lines strings.Builder
	for i := range n {
		if i%50 == 49 {
			broken++
			fmt.Fprintf(&lines, `{"id":"i%04d", broken`+"\n", i)
			continue
		}
		fmt.Fprintf(&lines, `{"id":"i%04d","kind":"video","title":"title t%04d"}`+"\n", i, i)
	}
	write(s.t, s.path, map[string]string{"source/items.ndjson": lines.String()})
	return filepath.Join(s.path, "source"), broken
}

// start queues an import.
func (w *worker) start(t testing.TB, source string) upnext.Import {
	t.Helper()
	imp, err := w.im.Start(t.Context(), tenant, ingest.ImportRequest{Source: source, OnMissing: upnext.DeleteMissing})
	if err != nil {
		t.Fatal(err)
	}
	return imp
}

// wait returns how an import ended.
func (w *worker) wait(t testing.TB, id upnext.ImportID) upnext.Import {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	imp, err := w.im.Wait(ctx, tenant, id)
	if err != nil {
		t.Fatalf("%v: %+v", err, imp)
	}
	return imp
}

// counted checks that each of n lines counts once, and that what came in is there.
func (w *worker) counted(t testing.TB, imp upnext.Import, n, broken int64) {
	t.Helper()
	if imp.State != upnext.Succeeded || imp.Total != n || imp.Created+imp.Updated+imp.Unchanged+imp.Failed != n || imp.Failed != broken || imp.Causes["syntax"] != broken {
		t.Errorf("import: %+v, want %d lines counted once, %d of them broken", imp, n, broken)
	}
	if got := len(failures(t, w.world, imp.ID)); int64(got) != broken {
		t.Errorf("%d dead letters, want %d", got, broken)
	}
	records, err := w.Catalog.List(t.Context(), tenant, imp.Source, "", int(n))
	if err != nil || int64(len(records)) != n-broken {
		t.Errorf("%d items in the catalogue, %v, want %d", len(records), err, n-broken)
	}
	pending, err := w.Indexings.Pending(t.Context(), tenant, w.Space.Name(), "", 10)
	if err != nil || len(pending) != 0 {
		t.Errorf("pending: %v, %v", pending, err)
	}
	w.nothingKept(t)
}

// nothingKept checks that an ended import has left no object behind.
func (w *worker) nothingKept(t testing.TB) {
	t.Helper()
	eventually(t, "an ended import leaves nothing behind", func() bool {
		for range w.Blobs.List(t.Context(), "default/imports/", "") {
			return false
		}
		return true
	})
}
