package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"upnext"
	"upnext/infra/blob"
	"upnext/infra/blob/dir"
	"upnext/infra/sqlstore"
	"upnext/train/archive"
)

const home upnext.Tenant = "default"

var (
	noon   = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	secret = []byte("a secret of the operator's own")
)

// world is a database, a folder of objects that can break, and an archive.
type world struct {
	store  *sqlstore.Store
	folder string
	blobs  *faulty
	now    time.Time
	tenant upnext.Tenant
	*archive.Archive
}

func newWorld(t testing.TB, set archive.Settings) *world {
	t.Helper()
	w := &world{folder: t.TempDir(), now: noon, tenant: home}
	w.store = openStore(t)
	folder, err := dir.Open(w.folder)
	if err != nil {
		t.Fatal(err)
	}
	w.blobs = &faulty{Store: folder}
	w.open(t, w.store, secret, set)
	return w
}

func openStore(t testing.TB) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// open makes the archive anew, as a restarted process does.
func (w *world) open(t testing.TB, store *sqlstore.Store, key []byte, set archive.Settings) {
	t.Helper()
	a, err := archive.New(archive.Config{
		Blobs: w.blobs, Events: store.Events, Slates: store.Slates, Retention: store.Retention(),
		Tenants: func() []upnext.Tenant { return []upnext.Tenant{home} }, Key: key,
		Claim: func(_ upnext.Tenant, token string) (upnext.SlateID, bool) {
			return upnext.SlateID("rec_" + token), token != "forged"
		},
		Settings: set, Now: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Archive = a
}

func (w *world) append(t testing.TB, events ...upnext.Event) []upnext.Event {
	t.Helper()
	appended, err := w.store.Events.Append(t.Context(), w.tenant, events...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		events[i].Seq = appended[i].Seq
	}
	return events
}

func (w *world) run(t testing.TB) archive.Done {
	t.Helper()
	done, err := w.RunOnce(t.Context(), w.tenant)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// read returns the archived events by Seq; twice the same fails.
func (w *world) read(t testing.TB, from, to time.Time) map[int64]archive.Event {
	t.Helper()
	rows := map[int64]archive.Event{}
	for e, err := range archive.Events(t.Context(), w.blobs, w.tenant, from, to) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := rows[e.Seq]; twice {
			t.Errorf("event %d is there twice", e.Seq)
		}
		rows[e.Seq] = e
	}
	return rows
}

// files returns the keys of the data sets' files.
func (w *world) files(t testing.TB) (keys []string) {
	t.Helper()
	for info, err := range w.blobs.List(t.Context(), string(w.tenant)+"/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(info.Key) == ".parquet" {
			keys = append(keys, info.Key)
		}
	}
	return keys
}

func view(viewer string, n int) upnext.Event {
	at := noon.Add(time.Duration(n) * time.Second)
	return upnext.Event{
		ID: upnext.EventID(fmt.Sprint(viewer, "-", n)), Kind: upnext.View, Item: upnext.ItemID(fmt.Sprint("i", n%7)),
		Viewer: upnext.ViewerID{ID: viewer}, At: at, ReceivedAt: at,
	}
}

func views(viewer string, n int) []upnext.Event {
	events := make([]upnext.Event, n)
	for i := range events {
		events[i] = view(viewer, i)
	}
	return events
}

// errCrash is what a broken store answers.
var errCrash = errors.New("crashed")

// faulty is a store that breaks at the n-th write from now, before or after
// the write is done, and stays broken until it is mended.
type faulty struct {
	blob.Store
	left  atomic.Int64 // writes until it breaks; 0: it does not
	late  bool         // the last write is done, and nobody learns of it
	broke bool
}

func (f *faulty) breakAt(n int, late bool) { f.left.Store(int64(n)); f.late, f.broke = late, false }
func (f *faulty) mend()                    { f.left.Store(0); f.broke = false }

func (f *faulty) write(do func() error) error {
	if f.broke {
		return errCrash
	}
	if f.left.Load() > 0 && f.left.Add(-1) == 0 {
		f.broke = true
		if f.late {
			_ = do() // whether it was done is what nobody learns
		}
		return errCrash
	}
	return do()
}

func (f *faulty) Put(ctx context.Context, key string, r io.Reader) (info blob.Info, err error) {
	err = f.write(func() error { info, err = f.Store.Put(ctx, key, r); return err })
	return info, err
}

func (f *faulty) Delete(ctx context.Context, key string) error {
	return f.write(func() error { return f.Store.Delete(ctx, key) })
}

// globbed reads the Seqs of every file of events, as a reader does who knows
// nothing of the archive's state.
func (w *world) globbed(t testing.TB) map[string][]int64 {
	t.Helper()
	seqs := map[string][]int64{}
	for _, key := range w.files(t) {
		rows, err := parquet.ReadFile[struct {
			Seq int64 `parquet:"seq"`
		}](filepath.Join(w.folder, key))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			seqs[key] = append(seqs[key], row.Seq)
		}
	}
	return seqs
}

// synthetic returns n events as a platform has them: few items are watched by
// many, most events tell how much was watched.
func synthetic(from, n int) []upnext.Event {
	random := rand.New(rand.NewPCG(1, uint64(from)))
	zipf := rand.NewZipf(random, 1.2, 8, 20_000)
	events := make([]upnext.Event, n)
	for i := range events {
		viewer := random.IntN(5_000)
		e := view(fmt.Sprint("viewer-", viewer), from+i)
		e.At = noon.Add(time.Duration(from+i) * 50 * time.Millisecond)
		e.ReceivedAt = e.At.Add(time.Duration(random.IntN(2_000)) * time.Millisecond)
		e.Item, e.Session = upnext.ItemID(fmt.Sprint("item-", zipf.Uint64())), fmt.Sprint("s", viewer, "-", (from+i)/50_000)
		e.Kind, e.Surface, e.Position = upnext.EventKinds[random.IntN(8)], "home", random.IntN(20)
		e.Watch = &upnext.Watch{Watched: time.Duration(random.IntN(600_000)) * time.Millisecond, Duration: 10 * time.Minute}
		e.Token = fmt.Sprint((from + i) / 4)
		events[i] = e
	}
	return events
}
