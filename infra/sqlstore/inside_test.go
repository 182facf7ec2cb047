package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"upnext"
)

func openInside(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func execute(t *testing.T, s *Store, text string) {
	t.Helper()
	if _, err := s.db.write.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func view(id string) upnext.Event {
	return upnext.Event{ID: upnext.EventID(id), Kind: upnext.View, Item: "x", Viewer: upnext.ViewerID{ID: "v"}}
}

// TestFullDisk lets SQLite run out of pages, which is how it sees a full disk,
// and then gives it room again.
func TestFullDisk(t *testing.T) {
	s := openInside(t)
	if _, err := s.Events.Append(t.Context(), "a", view("before")); err != nil {
		t.Fatal(err)
	}
	execute(t, s, `PRAGMA max_page_count = 60`)
	big := upnext.Record{Item: upnext.Item{ID: "big", Transcript: strings.Repeat("x", 1_000_000)}}
	_, err := s.Catalog.Put(t.Context(), "a", big)
	if !errors.Is(err, upnext.ErrUnavailable) || !strings.Contains(err.Error(), "disk is full") || !strings.Contains(err.Error(), "item big") {
		t.Errorf("put: %v, want unavailable, a full disk, and the item", err)
	}
	long := view("long")
	long.Text = big.Item.Transcript
	if _, err := s.Events.Append(t.Context(), "a", view("beside"), long); !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("append: %v, want unavailable", err)
	}
	execute(t, s, `PRAGMA max_page_count = 1000000`)
	if _, err := s.Catalog.Put(t.Context(), "a", big); err != nil {
		t.Errorf("put with room again: %v", err)
	}
	if got, err := s.Events.Append(t.Context(), "a", view("before"), view("beside")); err != nil || !got[0].Duplicate || got[1].Duplicate {
		t.Errorf("append with room again: %+v, %v, want the kept one alone a duplicate", got, err)
	}
}

// TestLocked keeps the file locked by another connection.
func TestLocked(t *testing.T) {
	s := openInside(t)
	execute(t, s, `PRAGMA busy_timeout = 20`)
	other, err := s.db.read.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`PRAGMA query_only = 0`, `BEGIN IMMEDIATE`} {
		if _, err := other.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Events.Append(t.Context(), "a", view("x")); !errors.Is(err, upnext.ErrUnavailable) || !strings.Contains(err.Error(), "locked") {
		t.Errorf("append to a locked file: %v, want unavailable", err)
	}
	if _, err := other.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Events.Append(t.Context(), "a", view("x")); err != nil {
		t.Errorf("append once it is free: %v", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPoison makes the database itself refuse one event: in a group, only its
// own caller may learn of it.
func TestPoison(t *testing.T) {
	s := openInside(t)
	execute(t, s, `CREATE TRIGGER poison BEFORE INSERT ON events WHEN NEW.id = 'poison'
		BEGIN SELECT RAISE(ABORT, 'poisoned'); END`)
	// A group as gather makes one, without the chance of when calls come.
	const callers = 32
	group := make([]*appendCall, callers)
	for i := range group {
		second := view(fmt.Sprint("second ", i))
		if i == 17 {
			second.ID = "poison"
		}
		group[i] = &appendCall{
			ctx: t.Context(), tenant: upnext.Tenant(fmt.Sprint("t", i%3)),
			out: make([]upnext.Appended, 2), done: make(chan struct{}),
		}
		for _, e := range []upnext.Event{view(fmt.Sprint("first ", i)), second} {
			row, err := encodeEvent(e)
			if err != nil {
				t.Fatal(err)
			}
			group[i].rows = append(group[i].rows, row)
		}
	}
	s.Events.commit.commit(group)
	for i, call := range group {
		<-call.done
		switch {
		case i == 17:
			if call.err == nil || !strings.Contains(call.err.Error(), "poisoned") {
				t.Errorf("the bad caller got %v, want its own error", call.err)
			}
		case call.err != nil || call.out[0].Seq <= 0 || call.out[1].Seq <= call.out[0].Seq:
			t.Errorf("caller %d got %+v, %v, want success", i, call.out, call.err)
		}
	}
	kept := 0
	for n := range 3 {
		events, err := s.Events.Since(t.Context(), upnext.Tenant(fmt.Sprint("t", n)), 0, 1_000)
		if err != nil {
			t.Fatal(err)
		}
		kept += len(events)
		if slices.ContainsFunc(events, func(e upnext.Event) bool { return e.ID == "first 17" }) {
			t.Error("half of the bad caller's events were kept")
		}
	}
	if want := (callers - 1) * 2; kept != want {
		t.Errorf("%d events kept, want %d", kept, want)
	}
}

// TestGathered counts transactions: what queues during one shares the next.
func TestGathered(t *testing.T) {
	var groups []int
	begun, release := make(chan struct{}, 8), make(chan struct{})
	c := startCommitter(func(_ context.Context, calls []*appendCall) error {
		groups = append(groups, len(calls))
		begun <- struct{}{}
		<-release
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	call := func(ctx context.Context, want error) {
		wg.Go(func() {
			if _, err := c.append(ctx, "a", []eventRow{{id: "x"}}); !errors.Is(err, want) {
				t.Errorf("append: %v, want %v", err, want)
			}
		})
	}
	call(t.Context(), nil)
	<-begun // the first is being committed
	for range 20 {
		call(t.Context(), nil)
	}
	call(ctx, context.Canceled)
	for len(c.queue) < 21 {
		if t.Context().Err() != nil {
			t.Fatal("the callers did not queue")
		}
		runtime.Gosched()
	}
	cancel() // the last leaves while it queues: it is not written
	close(release)
	wg.Wait()
	c.close()
	if want := []int{1, 20}; !slices.Equal(groups, want) {
		t.Errorf("transactions of %v calls, want %v", groups, want)
	}
	if _, err := c.append(t.Context(), "a", nil); !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("append after close: %v, want unavailable", err)
	}
}

// TestDurable holds the settings that the promise of durability rests on.
func TestDurable(t *testing.T) {
	s := openInside(t)
	for text, want := range map[string]string{"PRAGMA journal_mode": "wal", "PRAGMA synchronous": "2"} {
		var got string
		if err := s.db.write.QueryRowContext(t.Context(), text).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
	}
}

// TestMigrationsPair wants a PostgreSQL migration for each of SQLite's, with
// the same tables and columns in the same order.
func TestMigrationsPair(t *testing.T) {
	lite, err := os.ReadDir("migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	post, err := os.ReadDir("migrations/postgres")
	if err != nil {
		t.Fatal(err)
	}
	if len(lite) == 0 || len(lite) != len(post) {
		t.Fatalf("%d files for sqlite, %d for postgres", len(lite), len(post))
	}
	for i := range lite {
		if lite[i].Name() != post[i].Name() {
			t.Errorf("file %s beside %s", lite[i].Name(), post[i].Name())
		}
		if got, want := shape(t, "postgres", post[i].Name()), shape(t, "sqlite", lite[i].Name()); !slices.Equal(got, want) {
			t.Errorf("%s: postgres has\n%q, sqlite\n%q", post[i].Name(), got, want)
		}
	}
}

// shape is a migration's words without what differs by design.
func shape(t *testing.T, engine, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("migrations", engine, name))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "--") {
			words = append(words, strings.Fields(line)...)
		}
	}
	text := strings.NewReplacer(` COLLATE "C"`, "", " BYTEA ", " BLOB ").Replace(strings.Join(words, " "))
	return strings.SplitAfter(strings.ReplaceAll(text, ") WITHOUT ROWID;", ");"), ";")
}
