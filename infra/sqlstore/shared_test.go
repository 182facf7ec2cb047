package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"upnext"
	"upnext/infra/sqlstore"
)

// shared opens n stores on one new schema, and a connection beside them.
func shared(t *testing.T, n int) ([]*sqlstore.Store, *pgx.Conn, string) {
	t.Helper()
	url := newSchemas(t).url("shared")
	all, errs := make([]*sqlstore.Store, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range all { // at once: all find no tables and one makes them
		wg.Go(func() { all[i], errs[i] = sqlstore.Open(t.Context(), url, discardLog) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := timeout(10 * time.Second)
		defer cancel()
		err := conn.Close(ctx)
		for _, s := range all {
			err = errors.Join(err, s.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	return all, conn, url
}

func viewed(viewer, id string) upnext.Event {
	return upnext.Event{ID: upnext.EventID(id), Kind: upnext.View, Item: "x", At: time.Now(), Viewer: upnext.ViewerID{ID: viewer}}
}

// TestOrder follows the events by sequence while two processes' stores append,
// a transaction holds the counter for long, and others roll back what they have
// counted: no event is passed over, and none comes late.
func TestOrder(t *testing.T) {
	all, conn, _ := shared(t, 3)
	ctx := t.Context()
	const writers, each = 8, 40
	bump := `INSERT INTO counters (tenant, name, value) VALUES ('a', 'events', 5)
		ON CONFLICT (tenant, name) DO UPDATE SET value = counters.value + 5`
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := all[w%2].Events.Append(ctx, "a", viewed(fmt.Sprint("w", w), fmt.Sprint(w, "-", n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 20 {
			tx, err := conn.Begin(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			_, err = tx.Exec(ctx, bump)
			if i == 10 {
				_, err = tx.Exec(ctx, `SELECT pg_sleep(1)`)
			}
			if err := errors.Join(err, tx.Rollback(ctx)); err != nil {
				t.Error(err)
			}
		}
		// One that numbers first and is seen last, unless the counter is held to the end.
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		_, err = tx.Exec(ctx, `WITH c AS (`+bump+` RETURNING value) INSERT INTO events (tenant, seq, viewer, id, at, received_at, body)
			SELECT 'a', value, 'u:slow', 'slow', 0, 0, '{}' FROM c`)
		_, sleepErr := tx.Exec(ctx, `SELECT pg_sleep(0.5)`)
		if err := errors.Join(err, sleepErr, tx.Commit(ctx)); err != nil {
			t.Error(err)
		}
	})
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	var tailed []upnext.EventID
	for after, last := int64(0), false; ; {
		page, err := all[2].Events.Since(ctx, "a", after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if e.Seq <= after {
				t.Fatalf("seq %d after %d", e.Seq, after)
			}
			after, tailed = e.Seq, append(tailed, e.ID)
		}
		if len(page) == 0 && last {
			break
		}
		select {
		case <-ended:
			last = true
		default:
		}
	}
	kept, err := all[2].Events.Since(ctx, "a", 0, math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	var want []upnext.EventID
	for _, e := range kept {
		want = append(want, e.ID)
	}
	if len(want) != writers*each+1 || !slices.Equal(tailed, want) {
		t.Errorf("%d events followed, %d kept, want %d and the same ones", len(tailed), len(want), writers*each+1)
	}
}

// TestParallel lets 4 and 16 writers over two stores do everything to the same
// few rows in any order: nothing fails, and no update is lost.
func TestParallel(t *testing.T) {
	for _, writers := range []int{4, 16} {
		t.Run(fmt.Sprint(writers), func(t *testing.T) { parallel(t, writers) })
	}
}

func parallel(t *testing.T, writers int) {
	all, conn, _ := shared(t, 2)
	ctx := t.Context()
	const rounds = 15
	var mu sync.Mutex
	accepted, created := map[string]int{}, map[string]int{}
	var wg sync.WaitGroup
	for w := range writers {
		s, random := all[w%2], rand.New(rand.NewPCG(uint64(w), 1))
		wg.Go(func() {
			for range rounds {
				some := func() []int { return random.Perm(6)[:3] }
				tenant := upnext.Tenant(fmt.Sprint("t", random.IntN(2)))
				var events []upnext.Event
				var records []upnext.Record
				var marks []upnext.Indexing
				var ids []upnext.ItemID
				var slates []upnext.Slate
				beliefs := map[upnext.ItemID]upnext.Understanding{}
				for _, i := range some() {
					id := upnext.ItemID(fmt.Sprint("i", i))
					events = append(events, viewed("ann", fmt.Sprint("e", random.IntN(40))))
					records = append(records, upnext.Record{Item: upnext.Item{ID: id, Title: fmt.Sprint(random.IntN(9))}})
					marks = append(marks, upnext.Indexing{Item: id, Collection: "c"}, upnext.Indexing{Item: id, Collection: "b"})
					ids = append(ids, id)
					slates = append(slates, upnext.Slate{ID: upnext.SlateID(fmt.Sprint("s", i)), Viewer: upnext.ViewerID{ID: "ann"}})
					beliefs[id] = upnext.Understanding{Topics: []upnext.Label{{Value: fmt.Sprint(random.IntN(9)), Confidence: 1}}}
				}
				steps := []func() error{
					func() error {
						out, err := s.Events.Append(ctx, tenant, events...)
						mu.Lock()
						defer mu.Unlock()
						for i, a := range out {
							if !a.Duplicate {
								accepted[fmt.Sprint(tenant, events[i].ID)]++
							}
						}
						return err
					},
					func() error { _, err := s.Catalog.Put(ctx, tenant, records...); return err },
					func() error { return s.Indexings.Mark(ctx, tenant, marks...) },
					func() error { _, err := s.Catalog.Delete(ctx, tenant, ids...); return err },
					func() error { return s.Understandings.Believe(ctx, tenant, beliefs) },
					func() error {
						_, err := s.Understandings.Correct(ctx, tenant, ids[0], upnext.Understanding{Style: []upnext.Label{{Value: "x"}}})
						if errors.Is(err, upnext.ErrNotFound) {
							return nil
						}
						return err
					},
					func() error { return s.Slates.Record(ctx, tenant, slates...) },
					func() error { _, err := s.Slates.Prune(ctx, time.Now(), time.Now()); return err },
					func() error {
						key := fmt.Sprint(tenant, random.IntN(20))
						status, err := s.Viewers.PutViewer(ctx, "v", upnext.Viewer{ID: upnext.ViewerID{ID: key}, Locale: "en"})
						if status == upnext.Created {
							mu.Lock()
							created[key]++
							mu.Unlock()
						}
						return err
					},
					func() error {
						return s.Imports.AddFailures(ctx, tenant, "imp", upnext.Failure{Key: fmt.Sprint(random.Int())})
					},
				}
				for _, i := range random.Perm(len(steps)) {
					if err := steps[i](); err != nil {
						t.Errorf("step %d: %v", i, err)
					}
				}
			}
		})
	}
	wg.Wait()
	for what, n := range map[string]map[string]int{"accepted": accepted, "created": created} {
		for id, n := range n {
			if n != 1 {
				t.Errorf("%s was %s %d times", id, what, n)
			}
		}
	}
	var failures, kept int
	if err := conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM failures), (SELECT count(*) FROM events)`).Scan(&failures, &kept); err != nil {
		t.Fatal(err)
	}
	if failures != writers*rounds || kept != len(accepted) {
		t.Errorf("%d failures and %d events kept, want %d and %d", failures, kept, writers*rounds, len(accepted))
	}
}

// TestTerminated ends the stores' sessions while they append: callers see
// nothing of it, and each event is told once to be new.
func TestTerminated(t *testing.T) {
	all, conn, _ := shared(t, 1)
	ctx, s := t.Context(), all[0]
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			got, err := s.Events.Append(ctx, "a", viewed("ann", fmt.Sprint(n)))
			if err != nil || got[0].Duplicate {
				t.Errorf("event %d: %+v, %v, want it new", n, got, err)
			}
		}
	})
	for range 5 {
		_, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'upnext'`)
		if err != nil {
			t.Error(err)
		}
		if _, err := s.Events.ByViewer(ctx, "a", upnext.ViewerID{ID: "ann"}, 1); err != nil {
			t.Logf("a read in the middle: %v", err)
		}
		if err := s.Ping(context.WithoutCancel(ctx)); err != nil && !errors.Is(err, upnext.ErrUnavailable) {
			t.Errorf("ping: %v", err)
		}
	}
	close(stop)
	wg.Wait()
	if err := s.Ping(ctx); err != nil {
		t.Errorf("ping afterwards: %v", err)
	}
}

// TestLocksShared takes a name in one process and frees it with its session.
func TestLocksShared(t *testing.T) {
	all, conn, _ := shared(t, 2)
	ctx := t.Context()
	unlock, err := all[0].Locks.Lock(ctx, "name")
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := all[1].Locks.Lock(short, "name"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a name of another process: %v, want the context's end", err)
	}
	unlock()
	if unlock, err = all[1].Locks.Lock(ctx, "name"); err != nil {
		t.Fatal(err)
	}
	// The holder's death frees it.
	if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	again, err := all[0].Locks.Lock(ctx, "name")
	if err != nil {
		t.Fatalf("lock what a dead session held: %v", err)
	}
	again()
	unlock()
}
