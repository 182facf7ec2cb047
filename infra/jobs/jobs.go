// Package jobs runs River on a database file of its own, or on PostgreSQL for
// several processes at once: work that survives its process. Workers and
// arguments are River's own types.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"upnext"
)

// Queue holds jobs. Register workers, then Start; Insert works from Open on,
// for kinds of jobs that have a worker.
type Queue struct {
	engine  engine
	workers *river.Workers
	logger  *slog.Logger
	insert  client // inserts before Start, and in processes that never work

	mu      sync.Mutex
	client  client // works; nil before Start and after Stop
	rescuer func() // ends what Start has begun beside it; waits for that
}

// client is what we use of a river.Client, whatever its database.
type client interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	InsertMany(ctx context.Context, params []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)
	JobCancel(ctx context.Context, id int64) (*rivertype.JobRow, error)
}

// engine is what differs between the databases.
type engine interface {
	// newClient makes a client; its name, where it works, is in the Config.
	newClient(c *river.Config) (client, error)
	// poll is how often a client looks for jobs that nobody told it of.
	poll() time.Duration
	// tagged returns up to limit jobs with the tag that have not ended and
	// that nobody has tried to cancel.
	tagged(ctx context.Context, tag string, limit int) ([]int64, error)
	// waiting counts the jobs with the tag that have not ended.
	waiting(ctx context.Context, tag string) (int, error)
	// watch keeps this client's claim to its jobs until ctx ends, and takes
	// over those of clients that have died. Its first claim stands when it
	// returns; stop waits for its end.
	watch(ctx context.Context, name string) (stop func(), err error)
	// shared says whether several processes may have the database.
	shared() bool
	close() error
}

// Settings say how a Queue works.
type Settings struct {
	Workers     int           // jobs at once
	JobTimeout  time.Duration // of one attempt; 0 means none
	MaxAttempts int           // of one job
	MaxBackoff  time.Duration // longest wait before the next attempt
}

// Open opens the queue that a URL names, makes it where it is not there, and
// brings its tables up to date.
//
// "sqlite:FILE" is a file of its own. The caller must be the only process that
// has it: jobs that a killed process left running are made available again.
// "postgres://…" is a queue that several processes share; its tables are in a
// schema of their own, "river". What a killed process left running is worked by
// another within half a minute.
func Open(ctx context.Context, url string, logger *slog.Logger) (*Queue, error) {
	name, rest, _ := strings.Cut(url, ":")
	var e engine
	var err error
	switch name {
	case "sqlite":
		e, err = openSQLite(ctx, rest, logger)
	case "postgres", "postgresql":
		e, err = openPostgres(ctx, url, logger)
		url = redact(url)
	default:
		return nil, fmt.Errorf("jobs %q: no such engine; there are sqlite and postgres: %w", redact(url), upnext.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("open jobs %s: %w", url, unavailable(err))
	}
	insert, err := e.newClient(&river.Config{Logger: quiet(logger), SkipUnknownJobCheck: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open jobs %s: %w", url, unavailable(err)), e.close())
	}
	return &Queue{engine: e, workers: river.NewWorkers(), logger: logger, insert: insert}, nil
}

// redact keeps of a URL, for errors and logs, what cannot hold a password:
// parameters can.
func redact(text string) string {
	engine, rest, _ := strings.Cut(text, ":")
	if engine == "sqlite" {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || rest == "" {
		return "postgres:…"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// Register adds the worker of one kind of job. Only before Start.
func Register[T river.JobArgs](q *Queue, w river.Worker[T]) { river.AddWorker(q.workers, w) }

// Start works until Stop. A job begins within some 50 ms of its Insert; one
// whose Insert nobody was told of, in half a second.
func (q *Queue) Start(ctx context.Context, s Settings) error {
	timeout := s.JobTimeout
	if timeout == 0 {
		timeout = -1 // River's word for none
	}
	name := clientName()
	client, err := q.engine.newClient(&river.Config{
		ID: name, Logger: quiet(q.logger), Workers: q.workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: max(s.Workers, 1)}},
		FetchPollInterval: q.engine.poll(), FetchCooldown: 5 * time.Millisecond, JobTimeout: timeout, MaxAttempts: max(s.MaxAttempts, 1),
		RetryPolicy: backoff{max(s.MaxBackoff, time.Second)}, SkipUnknownJobCheck: true,
		// Where the database was away or its disk full for long, River gives up
		// saying that a job has ended: it is tried again after this. No job of
		// ours runs as long.
		RescueStuckJobsAfter:        time.Hour,
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: time.Hour, DiscardedJobRetentionPeriod: 30 * 24 * time.Hour,
	})
	if err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	// River's context is the attempts' too: they end when Stop says so.
	ctx = context.WithoutCancel(ctx)
	stop, err := q.engine.watch(ctx, name) // before the first job is taken
	if err != nil {
		return fmt.Errorf("start jobs: %w", unavailable(err))
	}
	if err := client.Start(ctx); err != nil {
		stop()
		return fmt.Errorf("start jobs: %w", unavailable(err))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.client, q.rescuer = client, stop
	return nil
}

// Stop lets running jobs finish for as long as ctx lasts, then cancels their
// contexts and waits for them to return. What was cut short is worked again.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	client, stop := q.client, q.rescuer
	q.client, q.rescuer = nil, nil
	q.mu.Unlock()
	if client == nil {
		return nil
	}
	defer stop() // last: the claim stands while jobs run
	err := client.Stop(ctx)
	if ctx.Err() != nil {
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = client.StopAndCancel(patience)
	}
	if err != nil {
		return fmt.Errorf("stop jobs: %w", err)
	}
	return nil
}

// Insert adds a job; when it returns, the job survives a crash.
func (q *Queue) Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error) {
	res, err := q.any().Insert(ctx, args, opts)
	if err != nil {
		return nil, fmt.Errorf("insert job %s: %w", args.Kind(), unavailable(err))
	}
	return res, nil
}

// InsertMany adds jobs, all or none.
func (q *Queue) InsertMany(ctx context.Context, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	if _, err := q.any().InsertMany(ctx, jobs); err != nil {
		return fmt.Errorf("insert %d jobs: %w", len(jobs), unavailable(err))
	}
	return nil
}

// CancelTagged cancels every job that has the tag and has not ended: one that
// runs, in whatever process, has its context cancelled; one that waits is never
// worked. It returns
// how many there were.
func (q *Queue) CancelTagged(ctx context.Context, tag string) (int, error) {
	n := 0
	for {
		ids, err := q.engine.tagged(ctx, tag, 500)
		if err != nil {
			return n, fmt.Errorf("cancel jobs of %s: %w", tag, unavailable(err))
		}
		if len(ids) == 0 {
			return n, nil
		}
		for _, id := range ids {
			if _, err := q.any().JobCancel(ctx, id); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
				return n, fmt.Errorf("cancel job %d: %w", id, unavailable(err))
			}
			n++
		}
	}
}

// Waiting returns how many jobs with the tag have not ended.
func (q *Queue) Waiting(ctx context.Context, tag string) (int, error) {
	n, err := q.engine.waiting(ctx, tag)
	if err != nil {
		return 0, fmt.Errorf("count jobs of %s: %w", tag, unavailable(err))
	}
	return n, nil
}

// Shared says whether other processes may work this queue's jobs.
func (q *Queue) Shared() bool { return q.engine.shared() }

// Close closes the database. Stop comes first.
func (q *Queue) Close() error { return q.engine.close() }

func (q *Queue) any() client {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.client != nil {
		return q.client
	}
	return q.insert
}

// backoff waits 1 s, 2 s, 4 s … up to its most, with a quarter of jitter.
type backoff struct{ most time.Duration }

// NextRetry is River's question.
func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	wait := min(b.most, time.Second<<min(max(len(job.Errors), 0), 20))
	return time.Now().Add(wait + time.Duration(rand.Float64()*float64(wait)/4))
}

// unavailable marks a database's error as ours, but for a context's.
func unavailable(err error) error {
	if err == nil || errors.Is(err, upnext.ErrInvalid) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", upnext.ErrUnavailable, err)
}
