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
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"

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

func open(t *testing.T, path string, work func(ctx context.Context, n int) error) *jobs.Queue {
	t.Helper()
	q, err := jobs.Open(t.Context(), path, slog.New(slog.NewTextHandler(t.Output(), nil)))
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

func TestWorked(t *testing.T) {
	var sum atomic.Int64
	q := open(t, filepath.Join(t.TempDir(), "jobs #1 100%.db"), func(_ context.Context, n int) error {
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

func TestTriedAgain(t *testing.T) {
	var tries atomic.Int64
	q := open(t, filepath.Join(t.TempDir(), "jobs.db"), func(context.Context, int) error {
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

func TestCancelTagged(t *testing.T) {
	running, ended := make(chan struct{}, 100), make(chan struct{}, 100)
	q := open(t, filepath.Join(t.TempDir(), "jobs.db"), func(ctx context.Context, n int) error {
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

// TestKilled kills a process in the middle of a job; the next one works it.
func TestKilled(t *testing.T) {
	if path := os.Getenv("UPNEXT_TEST_JOBS_CHILD"); path != "" {
		q := open(t, path, func(context.Context, int) error {
			fmt.Println("running")
			select {} // until killed
		})
		if err := q.Start(t.Context(), settings); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Insert(t.Context(), args{7}, &river.InsertOpts{Tags: []string{"kill"}, MaxAttempts: 1}); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	path := filepath.Join(t.TempDir(), "jobs.db")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), "UPNEXT_TEST_JOBS_CHILD="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "running"; {
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed: its status says so
	worked := make(chan int, 1)
	q := open(t, path, func(_ context.Context, n int) error {
		worked <- n
		return nil
	})
	if err := q.Start(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	select {
	case n := <-worked:
		if n != 7 {
			t.Errorf("worked %d, want 7", n)
		}
	case <-time.After(20 * time.Second):
		t.Error("the killed process's job was not worked again")
	}
}
