package jobs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"upnext"
	"upnext/infra/jobs"
)

type args struct {
	N int `json:"n"`
}

// Kind names the job.
func (args) Kind() string { return "test" }

type worker struct {
	river.WorkerDefaults[args]
	work func(ctx context.Context, n int) error
}

// Work is River's call.
func (w *worker) Work(ctx context.Context, j *river.Job[args]) error { return w.work(ctx, j.Args.N) }

func open(t *testing.T, url string, work func(ctx context.Context, n int) error) *jobs.Queue {
	t.Helper()
	q, err := jobs.Open(t.Context(), url, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	jobs.Register(q, &worker{work: work})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(q.Stop(ctx), q.Close()); err != nil {
			t.Error(err)
		}
	})
	return q
}

var settings = jobs.Settings{Workers: 2, MaxAttempts: 3, MaxBackoff: time.Second}

// await waits until no job with the tag is left.
func await(t *testing.T, q *jobs.Queue, tag string) {
	t.Helper()
	for range 2000 {
		n, err := q.Waiting(t.Context(), tag)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Fatal("jobs are still waiting after 20 s")
}

func TestSQLite(t *testing.T) {
	testEngine(t, func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "jobs #1 100%.db") })
}

// testEngine is what a queue promises on each database.
func testEngine(t *testing.T, url func(*testing.T) string) {
	for name, test := range map[string]func(*testing.T, string){
		"worked": testWorked, "tried again": testTriedAgain, "cancel tagged": testCancelTagged, "crashes": testCrashes,
	} {
		t.Run(name, func(t *testing.T) { test(t, url(t)) })
	}
}

func TestNoEngine(t *testing.T) {
	for _, url := range []string{"oracle://me:secret@host", "jobs.db", "sqlite:", "postgres://me:secret@127.0.0.1:1/none?sslmode=disable", "postgres://me:secret@[/"} {
		q, err := jobs.Open(t.Context(), url, slog.New(slog.DiscardHandler))
		if err == nil {
			t.Errorf("%s: opened", url)
			_ = q.Close()
		} else if strings.Contains(err.Error(), "secret") || !errors.Is(err, upnext.ErrInvalid) && !errors.Is(err, upnext.ErrUnavailable) {
			t.Errorf("%s: %v, want invalid or unavailable, and no password", url, err)
		}
	}
}

func testWorked(t *testing.T, url string) {
	var sum atomic.Int64
	q := open(t, url, func(_ context.Context, n int) error {
		sum.Add(int64(n))
		return nil
	})
	var many []river.InsertManyParams
	for i := 1; i <= 99; i++ {
		many = append(many, river.InsertManyParams{Args: args{i}, InsertOpts: &river.InsertOpts{Tags: []string{"aaa"}}})
	}
	if err := q.InsertMany(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Insert(t.Context(), args{100}, &river.InsertOpts{Tags: []string{"aaa"}}); err != nil {
		t.Fatal(err)
	}
	await(t, q, "aaa")
	if got, want := sum.Load(), int64(5050); got != want {
		t.Errorf("worked jobs add up to %d, want %d", got, want)
	}
}

func testTriedAgain(t *testing.T, url string) {
	var tries atomic.Int64
	q := open(t, url, func(context.Context, int) error {
		if tries.Add(1) < 2 {
			return errors.New("not yet")
		}
		return nil
	})
	if err := q.Start(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Insert(t.Context(), args{1}, &river.InsertOpts{Tags: []string{"aaa"}, MaxAttempts: 3}); err != nil {
		t.Fatal(err)
	}
	await(t, q, "aaa")
	if got := tries.Load(); got != 2 {
		t.Errorf("%d tries, want 2", got)
	}
}

func testCancelTagged(t *testing.T, url string) {
	running, ended := make(chan struct{}, 100), make(chan struct{}, 100)
	q := open(t, url, func(ctx context.Context, n int) error {
		if n == 0 {
			return nil
		}
		running <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return ctx.Err()
	})
	if err := q.Start(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 10; i++ {
		if _, err := q.Insert(t.Context(), args{i}, &river.InsertOpts{Tags: []string{"stop"}}); err != nil {
			t.Fatal(err)
		}
	}
	<-running
	if _, err := q.CancelTagged(t.Context(), "stop"); err != nil {
		t.Fatal(err)
	}
	<-ended
	await(t, q, "stop")
	if _, err := q.Insert(t.Context(), args{0}, &river.InsertOpts{Tags: []string{"going"}}); err != nil {
		t.Fatal(err)
	}
	await(t, q, "going")
}

// child starts a process that works one endless job of a queue and returns when
// it works it. The job is n, inserted by the child where insert says so.
func child(t *testing.T, url string, insert bool) *exec.Cmd {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), childURL+"="+url, fmt.Sprint(childURL, "_INSERT=", insert))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "running" {
			return child
		}
	}
	t.Fatal("the child ended")
	return nil
}

// childURL names, in a child process, the queue that it works.
const childURL = "UPNEXT_TEST_JOBS_CHILD"

// TestChild is the child process of other tests.
func TestChild(t *testing.T) {
	url := os.Getenv(childURL)
	if url == "" {
		return
	}
	q := open(t, url, func(ctx context.Context, _ int) error {
		fmt.Println("running")
		<-ctx.Done() // cancelled or killed
		fmt.Println("ended")
		return ctx.Err()
	})
	if err := q.Start(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	if os.Getenv(childURL+"_INSERT") == "true" {
		if _, err := q.Insert(t.Context(), args{7}, &river.InsertOpts{Tags: []string{"kill"}, MaxAttempts: 1}); err != nil {
			t.Fatal(err)
		}
	}
	select {}
}

// TestKilled kills a process in the middle of a job; the next one works it.
func TestKilled(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "jobs.db")
	kill(t, child(t, url, true))
	worked := make(chan int, 1)
	q := open(t, url, func(_ context.Context, n int) error {
		worked <- n
		return nil
	})
	if err := q.Start(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	takenOver(t, worked)
}

func kill(t *testing.T, child *exec.Cmd) {
	t.Helper()
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed: its status says so
}

func takenOver(t *testing.T, worked chan int) {
	t.Helper()
	select {
	case n := <-worked:
		if n != 7 {
			t.Errorf("worked %d, want 7", n)
		}
	case <-time.After(40 * time.Second):
		t.Error("the killed process's job was not worked again")
	}
}

// testCrashes reads the count of a job that nobody died with.
func testCrashes(t *testing.T, url string) {
	q := open(t, url, func(context.Context, int) error { return nil })
	res, err := q.Insert(t.Context(), args{1}, &river.InsertOpts{Tags: []string{"aaa"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := jobs.Crashes(res.Job); got != 0 {
		t.Errorf("%d crashes of a new job, want 0", got)
	}
}

// TestCrashing lets a job kill whoever works it: it is given up in the end.
func TestCrashing(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "jobs.db")
	for i := range jobs.MaxCrashes {
		kill(t, child(t, url, i == 0))
	}
	q := open(t, url, func(context.Context, int) error { return nil })
	n, err := q.Waiting(t.Context(), "kill")
	if err != nil || n != 0 {
		t.Errorf("%d jobs wait after %d crashes, %v, want none", n, jobs.MaxCrashes, err)
	}
}
