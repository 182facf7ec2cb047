// Package jobs runs River on a database file of its own: work that survives
// its process. Workers and arguments are River's own types.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"upnext"
)

// Queue holds jobs. Register workers, then Start; Insert works from Open on,
// for kinds of jobs that have a worker.
type Queue struct {
	db      *sql.DB
	workers *river.Workers
	logger  *slog.Logger
	client  atomic.Pointer[river.Client[*sql.Tx]]
	insert  *river.Client[*sql.Tx] // inserts before Start, and in processes that never work
}

// Settings say how a Queue works.
type Settings struct {
	Workers     int           // jobs at once
	JobTimeout  time.Duration // of one attempt; 0 means none
	MaxAttempts int           // of one job
	MaxBackoff  time.Duration // longest wait before the next attempt
}

// Open opens the file, or makes it, and brings its tables up to date. The
// caller must be the only process that has it: jobs that a killed process left
// running are made available again.
func Open(ctx context.Context, path string, logger *slog.Logger) (*Queue, error) {
	// FULL: a job that Insert has returned survives a power cut.
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open jobs %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; River's polls are writes
	q := &Queue{db: db, workers: river.NewWorkers(), logger: logger}
	if err := q.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open jobs %s: %w", path, unavailable(err)), db.Close())
	}
	return q, nil
}

func (q *Queue) prepare(ctx context.Context) error {
	migrator, err := rivermigrate.New(riversqlite.New(q.db), &rivermigrate.Config{Logger: quiet(q.logger)})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	// River's own rescue waits for an hour, as another process might be at it.
	const rescue = `UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0), scheduled_at = CURRENT_TIMESTAMP WHERE state = 'running'`
	if _, err := q.db.ExecContext(ctx, rescue); err != nil {
		return err
	}
	q.insert, err = river.NewClient(riversqlite.New(q.db), &river.Config{Logger: quiet(q.logger), SkipUnknownJobCheck: true})
	return err
}

// Register adds the worker of one kind of job. Only before Start.
func Register[T river.JobArgs](q *Queue, w river.Worker[T]) { river.AddWorker(q.workers, w) }

// Start works until Stop. A job begins within some 50 ms of its Insert.
func (q *Queue) Start(ctx context.Context, s Settings) error {
	timeout := s.JobTimeout
	if timeout == 0 {
		timeout = -1 // River's word for none
	}
	client, err := river.NewClient(riversqlite.New(q.db), &river.Config{
		Logger: quiet(q.logger), Workers: q.workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: max(s.Workers, 1)}},
		FetchPollInterval: 50 * time.Millisecond, FetchCooldown: 5 * time.Millisecond, JobTimeout: timeout, MaxAttempts: max(s.MaxAttempts, 1),
		RetryPolicy: backoff{max(s.MaxBackoff, time.Second)}, SkipUnknownJobCheck: true,
		// Where the disk was full for long, River gives up saying that a job has
		// ended: it is tried again after this. No job of ours runs as long.
		RescueStuckJobsAfter:        time.Hour,
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: time.Hour, DiscardedJobRetentionPeriod: 30 * 24 * time.Hour,
	})
	if err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	// River's context is the attempts' too: they end when Stop says so.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start jobs: %w", unavailable(err))
	}
	q.client.Store(client)
	return nil
}

// Stop lets running jobs finish for as long as ctx lasts, then cancels their
// contexts and waits for them to return. What was cut short is worked again.
func (q *Queue) Stop(ctx context.Context) error {
	client := q.client.Swap(nil)
	if client == nil {
		return nil
	}
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
// runs has its context cancelled, one that waits is never worked. It returns
// how many there were.
func (q *Queue) CancelTagged(ctx context.Context, tag string) (int, error) {
	n := 0
	for {
		// Tags are a list in SQLite's binary JSON; River lets a tag hold three or
		// more letters, digits, _ and - alone.
		rows, err := q.db.QueryContext(ctx, `SELECT id FROM river_job WHERE state IN ('available','pending','retryable','running','scheduled')
			AND instr(json(tags), '"' || $1 || '"') > 0 AND json_extract(metadata, '$.cancel_attempted_at') IS NULL LIMIT 500`, tag)
		if err != nil {
			return n, fmt.Errorf("cancel jobs of %s: %w", tag, unavailable(err))
		}
		ids, err := scanIDs(rows)
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
	var n int
	err := q.db.QueryRowContext(ctx, `SELECT count(*) FROM river_job WHERE state IN ('available','pending','retryable','running','scheduled')
		AND instr(json(tags), '"' || $1 || '"') > 0`, tag).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count jobs of %s: %w", tag, unavailable(err))
	}
	return n, nil
}

// Close closes the file. Stop comes first.
func (q *Queue) Close() error { return q.db.Close() }

func (q *Queue) any() *river.Client[*sql.Tx] {
	if c := q.client.Load(); c != nil {
		return c
	}
	return q.insert
}

func scanIDs(rows *sql.Rows) ([]int64, error) {
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
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
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", upnext.ErrUnavailable, err)
}

// quiet keeps River's chatter about itself out of the log.
func quiet(l *slog.Logger) *slog.Logger { return slog.New(atLeast{l.Handler(), slog.LevelWarn}) }

type atLeast struct {
	slog.Handler
	level slog.Level
}

// Enabled is asked before each record is made.
func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level && h.Handler.Enabled(ctx, l)
}
