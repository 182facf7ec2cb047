package serve

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"upnext"
	"upnext/infra/enginetest"
	"upnext/infra/sqlstore"
)

// TestTwoReplicas runs two Recommenders on one database. What one of them is
// told, the other one knows tens of milliseconds later; what one takes back, or
// learns of a viewer, the other does not go on believing.
func TestTwoReplicas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dsn := newSchema(t)
	var wg sync.WaitGroup
	var replicas [2]*world
	for i := range replicas {
		store, err := sqlstore.Open(ctx, dsn, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, 3, func(c *Config) {
			c.Catalog, c.Events, c.Viewers, c.Merges, c.Beats, c.Slates, c.Schemas = store.Catalog, store.Events, store.Viewers, store.Merges, store.Beats, store.Slates, store.Schemas
			c.Measures, c.Showings, c.Locks = store.Measures(), store.Slates, store.Locks
			c.Settings.FollowEvery, c.Settings.RereadViewer = time.Hour, time.Hour // what is known is known by being told
			c.Now = time.Now
		})
		replicas[i] = w
		wg.Go(func() {
			if err := w.rec.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		listening := make(chan struct{}, 10)
		wg.Go(func() {
			_ = store.Watch(ctx, func(c sqlstore.Change) {
				if c.Missed {
					w.rec.Missed()
					listening <- struct{}{}
				} else {
					w.rec.Changed(c.Tenant, c.Viewer)
				}
			})
		})
		<-listening
		defer func() { _ = store.Close() }()
	}
	defer wg.Wait()
	defer cancel()
	here, there := replicas[0].rec, replicas[1].rec
	seen := func() (int, string) {
		p, err := there.Profile(ctx, tenantT, user("ann"))
		if err != nil {
			t.Fatal(err)
		}
		return p.Events, p.Viewer.Locale
	}
	until := func(what string, holds func() bool) time.Duration {
		t.Helper()
		start := time.Now()
		for !holds() {
			if time.Since(start) > 5*time.Second {
				t.Fatalf("%s: the other replica does not know after 5 s", what)
			}
			time.Sleep(time.Millisecond)
		}
		return time.Since(start)
	}
	const events = 200
	seen() // ann is held there from now on
	var waits []time.Duration
	for n := range events {
		e := upnext.Event{ID: upnext.EventID(fmt.Sprint("e", n)), Kind: upnext.Like, Item: "space-001", Viewer: user("ann"), At: time.Now()}
		if _, err := here.Feedback(ctx, tenantT, e); err != nil {
			t.Fatal(err)
		}
		waits = append(waits, until("an event", func() bool { got, _ := seen(); return got == n+1 }))
	}
	slices.Sort(waits)
	t.Logf("an event at one replica is known to the other after p50 %s, p99 %s", waits[events/2], waits[events*99/100])
	if waits[events/2] > 500*time.Millisecond {
		t.Errorf("half of the events take longer than %s to the other replica", waits[events/2])
	}
	if err := here.Retract(ctx, tenantT, user("ann"), "e7"); err != nil {
		t.Fatal(err)
	}
	until("a retraction", func() bool { got, _ := seen(); return got == events-1 })
	if _, err := here.Viewers.PutViewer(ctx, tenantT, upnext.Viewer{ID: user("ann"), Locale: "zh"}); err != nil {
		t.Fatal(err)
	}
	until("a property", func() bool { _, locale := seen(); return locale == "zh" })
	guest := upnext.ViewerID{ID: "guest", Anonymous: true}
	theirs := func() upnext.ViewerID {
		slate, err := there.Recommend(ctx, tenantT, upnext.Request{Viewer: guest})
		if err != nil {
			t.Fatal(err)
		}
		return slate.Viewer
	}
	like := upnext.Event{ID: "g1", Kind: upnext.Like, Item: "space-002", Viewer: guest, At: time.Now()}
	if _, err := there.Feedback(ctx, tenantT, like); err != nil {
		t.Fatal(err)
	}
	if who := theirs(); who != guest {
		t.Fatalf("the guest is %s before", who)
	}
	if _, err := here.Merge(ctx, tenantT, guest, user("ann")); err != nil {
		t.Fatal(err)
	}
	until("a merge", func() bool { got, _ := seen(); return got == events && theirs() == user("ann") })
	like.ID = "g2"
	if _, err := there.Feedback(ctx, tenantT, like); err != nil {
		t.Fatal(err)
	}
	if got, _ := seen(); got != events+1 {
		t.Errorf("%d events after one of the guest's, want %d", got, events+1)
	}
	if _, err := here.Erase(ctx, tenantT, user("ann")); err != nil {
		t.Fatal(err)
	}
	until("an erasure", func() bool { got, locale := seen(); return got == 0 && locale == "" })
}

// newSchema returns the URL of an empty schema that the test's end drops.
func newSchema(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(enginetest.URL(t, "UPNEXT_TEST_POSTGRES"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("serve_%x", sha256.Sum256([]byte(t.Name())))[:24]
	drop := `SET client_min_messages TO warning; DROP SCHEMA IF EXISTS "` + name + `" CASCADE`
	if _, err := conn.Exec(t.Context(), drop+`; CREATE SCHEMA "`+name+`"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, drop); err != nil {
			t.Error(err)
		}
		_ = conn.Close(ctx)
	})
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}
