package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"upnext"
	"upnext/infra/sqlstore"
)

// change runs a statement in a database that is closed otherwise.
func change(t *testing.T, file, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(text)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	made := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := openFile(t, file).Close(); err != nil {
			t.Fatal(err)
		}
		change(t, file, text)
		return "sqlite:" + file
	}
	rubbish := filepath.Join(dir, "rubbish")
	if err := os.WriteFile(rubbish, []byte(strings.Repeat("this is no database. ", 300)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, url, words string
		kind             error // nil: none of the four
	}{
		{"a newer file", made("newer", `UPDATE schema_migrations SET version = 99`), "version is 99", upnext.ErrConflict},
		{"a migration cut short", made("dirty", `UPDATE schema_migrations SET dirty = true`), "cut short", upnext.ErrConflict},
		{"no database", "sqlite:" + rubbish, "not a database", nil},
		{"no file named", "sqlite:", "no file named", upnext.ErrInvalid},
		{"another engine", "oracle://host", "no such engine", upnext.ErrInvalid},
		{"a folder that is not there", "sqlite:" + filepath.Join(dir, "none", "x.db"), "unable to open", upnext.ErrUnavailable},
		{"a folder as file", "sqlite:" + dir, "unable to open", upnext.ErrUnavailable},
	} {
		s, err := sqlstore.Open(t.Context(), c.url, slog.New(slog.DiscardHandler))
		if err == nil {
			t.Errorf("%s: opened", c.name)
			_ = s.Close()
			continue
		}
		if !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), c.url) || c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %q, the URL and %v", c.name, err, c.words, c.kind)
		}
	}
}

// TestOddFileNames opens files whose names mean something in a URL.
func TestOddFileNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a b.db", "50%41.db", "q?mode=memory", "#1", "a&b=c", "电影.db"} {
		file := filepath.Join(dir, name)
		s := openFile(t, file)
		_, err := s.Catalog.Put(t.Context(), "a", upnext.Record{Item: upnext.Item{ID: upnext.ItemID(name)}})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%q: %v, want the file under its own name", name, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 6 {
		t.Errorf("in the folder are %v, %v, want the six files and no logs or parts", entries, err)
	}
}

// TestHalfMade opens a database that a first start was killed in making.
func TestHalfMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	change(t, file+".new", `CREATE TABLE items (half TEXT)`)
	s := openFile(t, file)
	_, err := s.Catalog.Put(t.Context(), "a", upnext.Record{Item: upnext.Item{ID: "x"}})
	if err := errors.Join(err, s.Ping(t.Context()), s.Close()); err != nil {
		t.Error(err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("ping after Close: %v, want unavailable", err)
	}
}

// TestClosed calls every kind of statement after Close.
func TestClosed(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "x.db"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	_, appendErr := s.Events.Append(ctx, "a", upnext.Event{ID: "x"})
	_, getErr := s.Catalog.Get(ctx, "a", "x")
	_, putErr := s.Catalog.Put(ctx, "a", upnext.Record{Item: upnext.Item{ID: "x"}})
	_, slateErr := s.Slates.Slate(ctx, "a", "x")
	for name, err := range map[string]error{"append": appendErr, "get": getErr, "put": putErr, "slate": slateErr} {
		if !errors.Is(err, upnext.ErrUnavailable) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want unavailable and what was being done", name, err)
		}
	}
}
