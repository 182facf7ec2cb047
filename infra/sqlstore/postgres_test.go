package sqlstore_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"upnext"
	"upnext/infra/enginetest"
	"upnext/infra/sqlstore"
	"upnext/infra/storetest"
)

// schemas make a schema by name at its first use in a test, and drop it at the
// test's end.
type schemas struct {
	t    testing.TB
	conn *pgx.Conn
	base string
	made map[string]bool
}

func newSchemas(t testing.TB) *schemas {
	t.Helper()
	base := enginetest.URL(t, "UPNEXT_TEST_POSTGRES")
	conn, err := pgx.Connect(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	s := &schemas{t: t, conn: conn, base: base, made: map[string]bool{}}
	t.Cleanup(func() { // after the cleanups of subtests, which close their stores
		ctx, cancel := timeout(30 * time.Second)
		defer cancel()
		for name := range s.made {
			if _, err := conn.Exec(ctx, `SET client_min_messages TO warning; DROP SCHEMA IF EXISTS "`+name+`" CASCADE`); err != nil {
				t.Error(err)
			}
		}
		_ = conn.Close(ctx)
	})
	return s
}

// url returns the URL of a schema.
func (s *schemas) url(name string) string {
	s.t.Helper()
	schema := fmt.Sprintf("test_%x", sha256.Sum256([]byte(s.t.Name()+"\x00"+name)))[:24]
	if !s.made[schema] {
		s.made[schema] = true
		for _, text := range []string{`DROP SCHEMA IF EXISTS "` + schema + `" CASCADE`, `CREATE SCHEMA "` + schema + `"`} {
			if _, err := s.conn.Exec(s.t.Context(), `SET client_min_messages TO warning; `+text); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	u, err := url.Parse(s.base)
	if err != nil {
		s.t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

var discardLog = slog.New(slog.DiscardHandler)

// opener opens stores in schemas, by name.
func (s *schemas) opener() storetest.Open {
	return func(t testing.TB, name string) storetest.Stores {
		return stores(t, openURL(t, s.url(name+t.Name())))
	}
}

// openURL opens a store that the test's end closes.
func openURL(t testing.TB, url string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stores hands a store to a suite.
func stores(t testing.TB, s *sqlstore.Store) storetest.Stores {
	closing := sync.OnceValue(s.Close)
	t.Cleanup(func() {
		if err := closing(); err != nil {
			t.Error(err)
		}
	})
	return storetest.Stores{
		Catalog: s.Catalog, Indexings: s.Indexings, Understandings: s.Understandings, Schemas: s.Schemas,
		Events: s.Events, Withdrawals: s.Events, Viewers: s.Viewers, Merges: s.Merges, Beats: s.Beats, Holdings: s.Holdings, Slates: s.Slates, Cursors: s.Cursors, Replies: s.Replies, Imports: s.Imports, Locks: s.Locks, Retention: s.Retention(), Measures: s.Measures(), Showings: s.Slates, Close: closing,
	}
}

func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

func TestPostgres(t *testing.T) { storetest.Test(t, newSchemas(t).opener()) }

func BenchmarkPostgres(b *testing.B) { storetest.Bench(b, newSchemas(b).opener()) }

// TestPostgresRefuses opens what cannot be used: the error says why, and never
// shows a password.
func TestPostgresRefuses(t *testing.T) {
	made := newSchemas(t)
	changed := func(name, text string) string {
		url := made.url(name)
		if err := openURL(t, url).Close(); err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(t.Context(), text)
		if err := errors.Join(err, conn.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		return url
	}
	for _, c := range []struct {
		name, url, words string
		kind             error
	}{
		{"a newer database", changed("newer", `UPDATE schema_migrations SET version = 99`), "version is 99", upnext.ErrConflict},
		{"a migration cut short", changed("dirty", `UPDATE schema_migrations SET dirty = true`), "cut short", upnext.ErrConflict},
		{"no server", "postgres://me:secret@127.0.0.1:1/x?sslmode=disable", "127.0.0.1", upnext.ErrUnavailable},
		{"no URL", "postgres://me:secret@[/x", "parse", upnext.ErrInvalid},
		{"no number", made.url("n") + "&pool_writers=many", "pool_writers", upnext.ErrInvalid},
		{"no such schema", strings.Replace(made.url("n"), "search_path=test_", "search_path=nowhere_", 1), "search_path", upnext.ErrInvalid},
	} {
		s, err := sqlstore.Open(t.Context(), c.url, discardLog)
		if err == nil {
			t.Errorf("%s: opened", c.name)
			_ = s.Close()
			continue
		}
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %v, %q and no password", c.name, err, c.kind, c.words)
		}
	}
}
