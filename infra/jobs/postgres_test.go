package jobs_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"upnext/infra/enginetest"
)

// schema makes a schema for a test, which is dropped at its end, and returns
// its URL and a connection.
func schema(t *testing.T) (string, *pgx.Conn) {
	t.Helper()
	base := enginetest.URL(t, "UPNEXT_TEST_POSTGRES")
	conn, err := pgx.Connect(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("jobs_%x", sha256.Sum256([]byte(t.Name())))[:24]
	drop := `SET client_min_messages TO warning; DROP SCHEMA IF EXISTS "` + name + `", "` + name + `_river" CASCADE`
	if _, err := conn.Exec(t.Context(), drop+`; CREATE SCHEMA "`+name+`"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, err := conn.Exec(ctx, drop)
		if err := errors.Join(err, conn.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String(), conn
}

func TestPostgres(t *testing.T) {
	testEngine(t, func(t *testing.T) string { url, _ := schema(t); return url })
}

// TestShared lets two processes work one queue. A job that the other one works
// is left to it for as long as it lives, its connections cut or not; it is
// taken over when it is killed. Cancelling reaches the other process.
func TestShared(t *testing.T) {
	url, conn := schema(t)
	other := child(t, url, true)
	worked := make(chan int, 100)
	q := open(t, url, func(ctx context.Context, n int) error {
		worked <- n
		return ctx.Err()
	})
	if err := q.Start(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	cut(t, conn)
	alive := time.After(13 * time.Second) // longer than a dead one's jobs are left alone
	select {
	case n := <-worked:
		t.Errorf("job %d was taken from a process that lives", n)
	case <-alive:
	}
	kill(t, other)
	takenOver(t, worked)
	await(t, q, "kill")
}

// TestCancelElsewhere cancels a job that another process works.
func TestCancelElsewhere(t *testing.T) {
	url, _ := schema(t)
	child(t, url, true)
	q := open(t, url, func(context.Context, int) error { return nil }) // inserts and cancels only
	if n, err := q.CancelTagged(t.Context(), "kill"); err != nil || n != 1 {
		t.Fatalf("cancelled %d, %v, want 1", n, err)
	}
	await(t, q, "kill")
}

// cut ends every connection to the database but this one's.
func cut(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'upnext jobs'`); err != nil {
		t.Fatal(err)
	}
}

// TestTogether opens a new queue from several processes' worth of goroutines at
// once: each finds its tables made.
func TestTogether(t *testing.T) {
	url, _ := schema(t)
	opened := make(chan error, 4)
	for i := range cap(opened) {
		go func() {
			q := open(t, url, func(context.Context, int) error { return nil })
			_, err := q.Insert(t.Context(), args{i}, &river.InsertOpts{Tags: []string{"aaa"}})
			opened <- err
		}()
	}
	for range cap(opened) {
		if err := <-opened; err != nil {
			t.Error(err)
		}
	}
}
