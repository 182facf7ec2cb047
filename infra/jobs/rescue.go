package jobs

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// A client that works jobs holds an advisory lock of its name, which the server
// frees with its connection: by a kill at once, by a cut network when the
// server notices. Others take its jobs over once the lock was free for grace
// without a break: a client that lives takes it again within a second, of a
// server's restart too. One that cannot reach the server for longer, while
// others can, may find its job worked by another: jobs bear that.
const (
	claimSpace = 0x75706a62 // the first half of the locks' keys
	lookEvery  = 3 * time.Second
	grace      = 8 * time.Second
	claimAgain = 500 * time.Millisecond
)

func claimKey(name string) int32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int32(h.Sum32())
}

// watch implements engine.
func (e *postgres) watch(ctx context.Context, name string) (func(), error) {
	claim, err := e.claim(ctx, name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { e.hold(ctx, name, claim) })
	wg.Go(func() { e.takeOver(ctx) })
	return func() { cancel(); wg.Wait() }, nil
}

// claim takes the lock on a connection of its own.
func (e *postgres) claim(ctx context.Context, name string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	config := e.pool.Config().ConnConfig
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	// The timeouts that a URL may set are not for this one, which idles.
	if _, err := conn.Exec(ctx, `SELECT set_config('idle_session_timeout', '0', false), pg_advisory_lock($1, $2)`, int32(claimSpace), claimKey(name)); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// hold keeps the claim until ctx ends: it asks the connection often, and
// claims again where it is gone.
func (e *postgres) hold(ctx context.Context, name string, conn *pgx.Conn) {
	end := func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}
	defer func() { end() }()
	tick := time.NewTicker(claimAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asking, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := conn.Ping(asking)
		cancel()
		if err == nil || ctx.Err() != nil {
			continue
		}
		end() // a session that is only thought dead must not hold the lock against the next
		if next, err := e.claim(ctx, name); err == nil {
			conn = next
		}
	}
}

// takeOver looks for jobs whose clients have died.
func (e *postgres) takeOver(ctx context.Context) {
	free := map[string]time.Time{} // since when a client's lock is seen free
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		looking, cancel := context.WithTimeout(ctx, lookEvery)
		dead, err := e.unclaimed(looking)
		cancel()
		if err != nil {
			// While the server was away nobody could hold a lock.
			clear(free)
			if ctx.Err() == nil {
				e.logger.Warn("jobs of processes that died are not looked for", "error", err)
			}
			continue
		}
		seen := map[string]time.Time{}
		for _, name := range dead {
			since, ok := free[name]
			if !ok {
				since = time.Now()
			}
			seen[name] = since
			if time.Since(since) < grace {
				continue
			}
			if err := e.rescue(ctx, name); err != nil && ctx.Err() == nil {
				e.logger.Error("jobs of a process that died are not taken over", "client", name, "error", err)
			}
		}
		free = seen
	}
}

// unclaimed returns the clients that have running jobs and hold no lock.
func (e *postgres) unclaimed(ctx context.Context) ([]string, error) {
	rows, err := e.pool.Query(ctx, `SELECT DISTINCT attempted_by[cardinality(attempted_by)] FROM `+e.jobs()+`
		WHERE state = 'running' AND cardinality(attempted_by) > 0`)
	if err != nil {
		return nil, err
	}
	working, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(working) == 0 {
		return nil, err
	}
	rows, err = e.pool.Query(ctx, `SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
		AND classid = $1::bigint::oid AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, int64(claimSpace))
	if err != nil {
		return nil, err
	}
	locks, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	held := map[int32]bool{}
	for _, l := range locks {
		held[int32(uint32(l))] = true
	}
	var dead []string
	for _, name := range working {
		if !held[claimKey(name)] {
			dead = append(dead, name)
		}
	}
	return dead, nil
}

// rescue makes a dead client's running jobs available again, or gives them up.
// Rescuers that meet wait for each other's rows and then find nothing to do.
func (e *postgres) rescue(ctx context.Context, name string) error {
	const crashes = `coalesce((metadata->>'` + crashesKey + `')::int, 0) + 1`
	rows, err := e.pool.Query(ctx, `
		UPDATE `+e.jobs()+` SET metadata = jsonb_set(metadata, '{`+crashesKey+`}', to_jsonb(`+crashes+`)),
			attempt = greatest(attempt - 1, 0), scheduled_at = now(),
			state = CASE WHEN jsonb_exists(metadata, 'cancel_attempted_at') THEN 'cancelled'
				WHEN `+crashes+` < $2 THEN 'available' ELSE 'discarded' END::"`+e.schema+`".river_job_state,
			finalized_at = CASE WHEN jsonb_exists(metadata, 'cancel_attempted_at') OR `+crashes+` >= $2 THEN now() END
		WHERE state = 'running' AND attempted_by[cardinality(attempted_by)] = $1
		RETURNING id, kind, state::text`, name, MaxCrashes)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r rescued, err error) {
		return r, row.Scan(&r.id, &r.kind, &r.state)
	})
	for _, r := range all {
		r.log(ctx, e.logger)
	}
	return err
}
